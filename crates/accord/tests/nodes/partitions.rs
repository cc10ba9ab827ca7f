//! How far the partitions by time reach, as each node shows it.

use crate::house::nodes::Nodes;
use crate::house::support::get;

const TABLES: [&str; 4] = ["entries", "journal", "postings", "settlement_items"];

/// What a node shows of a table, once it has looked.
async fn shown(nodes: &Nodes, url: &str, metric: &str, table: &str) -> i64 {
    let begins = format!("accord_partitions_{metric}{{table=\"{table}\"}} ");
    let told = async || {
        let metrics = get(url, "/metrics");
        let value = metrics.lines().find_map(|line| line.strip_prefix(&begins))?;
        Some(value.parse::<f64>().expect("a number") as i64)
    };
    nodes.house.eventually(&begins, told).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_shows_until_when_there_are_partitions_and_since_when() {
    let Some(nodes) = Nodes::open("nodes-partitions", 1) else { return };
    let year = "date_trunc('year', now() AT TIME ZONE 'UTC')";
    let seconds = |time: &str| nodes.count(&format!("SELECT extract(epoch FROM {time})::bigint"));
    let url = nodes.house.url.clone();
    for table in TABLES {
        let ready_until = shown(&nodes, &url, "ready_until_timestamp_seconds", table).await;
        assert_eq!(ready_until, seconds(&format!("{year} + interval '4 years'")), "{table}");
        assert_eq!(shown(&nodes, &url, "oldest_timestamp_seconds", table).await, seconds(year), "{table}");
        assert_eq!(shown(&nodes, &url, "strays", table).await, 0, "{table}");
    }
    // A row of a time without a partition, and a year that was let go.
    nodes.sql(
        "INSERT INTO journal (bucket, number, at, act, subject, actor, detail, hash)
         VALUES (1, 1, 978307200000, 'a', 's', 'b', '', '')",
    );
    let last = nodes.sql("SELECT to_char(now() AT TIME ZONE 'UTC' + interval '3 years', 'YYYY')");
    nodes.sql(&format!("DROP TABLE entries_{last}"));
    let later = nodes.beside_them(&[]);
    assert_eq!(shown(&nodes, &later.url, "strays", "journal").await, 1);
    assert_eq!(shown(&nodes, &later.url, "strays", "entries").await, 0);
    let ready_until = shown(&nodes, &later.url, "ready_until_timestamp_seconds", "entries").await;
    assert_eq!(ready_until, seconds(&format!("{year} + interval '3 years'")));
}
