//! The schema on PostgreSQL: the steps in its words, what of them a database has, and whether its catalogue says the
//! same. The database remembers the checksums of the steps. How they are applied is in `apply`.

use super::apply;
use super::fault::PostgresFault;
use super::link::Link;
use super::nodes;
use super::partitions::{self, Marked, Span};
use super::settings::{PostgresOptions, PostgresUrl};
use super::statement::bucket_first;
use crate::schema::{Applied, Applying, Migration, Misfit, Outlook, Schema, differences};
use tokio_postgres::Error;

pub(super) const CREATE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (
  version         bigint NOT NULL PRIMARY KEY,
  name            text COLLATE \"C\" NOT NULL,
  checksum        bytea NOT NULL,
  compatible_from bigint NOT NULL
)";

/// What migrating the database would mean. Changes nothing.
pub fn plan(url: &PostgresUrl, schema: &Schema) -> Result<Outlook, PostgresFault> {
    let link = Link::open(url, &PostgresOptions::default())?;
    Ok(Outlook {
        level: version(&link, url)?,
        pending: pending(&link, url, schema)?.to_vec(),
        unbuilt: apply::unbuilt(&link, url, schema)?.into_iter().map(|index| index.name).collect(),
        partitions: partitions::unmade(&link, url, schema, None)?,
        nodes: nodes::live(&link, url)?,
    })
}

/// Applies the steps that the database still needs, and makes the partitions of the coming years. Says which.
pub fn apply(url: &PostgresUrl, schema: &Schema) -> Result<Applying, PostgresFault> {
    apply_with(url, schema, None)
}

/// As [`apply`], with new partitions of that span.
pub fn apply_with(url: &PostgresUrl, schema: &Schema, span: Option<Span>) -> Result<Applying, PostgresFault> {
    let link = Link::open(url, &PostgresOptions::default())?;
    apply::migrate(&link, url, schema, span)
}

/// What the catalogue of the database says beside what the steps say; nothing: they agree. The steps are applied to
/// a schema that nobody ever sees, so the user must be allowed to create one.
pub fn verify(url: &PostgresUrl, schema: &Schema) -> Result<Vec<String>, PostgresFault> {
    let fault = |error: Error| PostgresFault::of(url, &error);
    let link = Link::open(url, &PostgresOptions::default())?;
    let (pending, found) = (pending(&link, url, schema)?.len(), version(&link, url)?);
    if pending > 0 {
        return Err(PostgresFault::SchemaTooOld { place: url.to_string(), found, needed: schema.level() });
    }
    if found > schema.level() {
        return Err(PostgresFault::SchemaTooNew { place: url.to_string(), found, known: schema.level() });
    }
    let lines = |link: &Link| -> Result<Vec<String>, PostgresFault> {
        let rows = link.wait_long(link.client.query(CATALOGUE, &[])).map_err(fault)?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    };
    let there = lines(&link)?;
    let say = |words: &str| link.wait_long(link.client.batch_execute(words)).map_err(fault);
    say("BEGIN; CREATE SCHEMA accord_as_it_should_be; SET LOCAL search_path = accord_as_it_should_be")?;
    let made = schema.steps().iter().try_for_each(|step| {
        say(CREATE).and_then(|()| say(&translate(&step.sql))).and_then(|()| say(&step.of_postgres))
    });
    let should = made.and_then(|()| lines(&link));
    say("ROLLBACK")?;
    Ok(differences(&should?, &there))
}

/// Every table, column, constraint and index of the schema, a line each; not partitions, of which there are as many as
/// there are years, nor tables that were partitions once.
const CATALOGUE: &str = "WITH t AS (
      SELECT c.oid, c.relname FROM pg_catalog.pg_class c
      WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition AND c.relname !~ '_[0-9]{4}(_[0-9]{2})?$'
    )
    SELECT 'table ' || relname || coalesce(' by ' || pg_get_partkeydef(oid), '') FROM t
    UNION ALL
    SELECT 'column ' || t.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
        || coalesce(' collate ' || o.collname, '') || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
        || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
    FROM t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_collation o ON o.oid = a.attcollation
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT 'constraint ' || t.relname || '.' || c.conname || ': ' || pg_get_constraintdef(c.oid)
    FROM t JOIN pg_constraint c ON c.conrelid = t.oid AND c.contype <> 'n'
    UNION ALL
    SELECT 'index ' || replace(pg_get_indexdef(i.indexrelid), quote_ident(current_schema()) || '.', '')
        || CASE WHEN i.indisvalid THEN '' ELSE ' (not valid)' END
    FROM t JOIN pg_index i ON i.indrelid = t.oid
    ORDER BY 1";

/// The last step applied, which may be a newer program's; 0: none.
pub(crate) fn version(link: &Link, url: &PostgresUrl) -> Result<u32, PostgresFault> {
    Ok(applied(link, url)?.last().map_or(0, |step| step.version))
}

/// The steps applied, after checking that the database is accord's or empty.
pub(super) fn applied(link: &Link, url: &PostgresUrl) -> Result<Vec<Applied>, PostgresFault> {
    let fault = |error: Error| PostgresFault::of(url, &error);
    let names = link
        .wait_long(link.client.query(
            "SELECT c.relname::text FROM pg_catalog.pg_class c
             WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind IN ('r', 'p')",
            &[],
        ))
        .map_err(fault)?;
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mut ours = false;
    for row in &names {
        ours |= row.try_get::<_, String>(0).map_err(fault)? == "schema_migrations";
    }
    if !ours {
        return Err(PostgresFault::NotOurs { place: url.to_string() });
    }
    let rows = link.wait_long(
        link.client
            .query("SELECT version, checksum, compatible_from FROM schema_migrations ORDER BY version", &[]),
    );
    let number = |row: &tokio_postgres::Row, index| {
        Ok::<_, Error>(u32::try_from(row.try_get::<_, i64>(index)?).unwrap_or(u32::MAX))
    };
    let step = |row: &tokio_postgres::Row| {
        Ok(Applied { version: number(row, 0)?, checksum: row.try_get(1)?, compatible_from: number(row, 2)? })
    };
    rows.and_then(|rows| rows.iter().map(step).collect()).map_err(fault)
}

/// The steps still needed, after checking that those applied are the ones that this program knows.
pub(crate) fn pending<'s>(
    link: &Link,
    url: &PostgresUrl,
    schema: &'s Schema,
) -> Result<&'s [Migration], PostgresFault> {
    let place = || url.to_string();
    schema.pending(&applied(link, url)?).map_err(|misfit| match misfit {
        Misfit::TooNew(found) => PostgresFault::SchemaTooNew { place: place(), found, known: schema.level() },
        Misfit::Differs(version) => PostgresFault::SchemaDiffers { place: place(), version },
    })
}

/// A step in PostgreSQL's words: 64-bit integers, bytes, texts in the order of their bytes, no table options, keys that
/// begin with the bucket, and tables marked for it partitioned by time. What stands in quotes or in a comment stays.
pub(super) fn translate(sql: &str) -> String {
    let mut text = String::with_capacity(sql.len() * 2);
    let mut marked: Option<Marked<'_>> = None;
    for line in sql.lines() {
        let (code, comment) = match line.find("--") {
            Some(at) => line.split_at(at),
            None => (line, ""),
        };
        marked = Marked::read(line).or(marked);
        let code = &bucket_first(code);
        let of_table = marked.as_ref().and_then(|marked| marked.put(code));
        if code.starts_with(')') {
            marked = None;
        }
        let code = of_table.as_deref().unwrap_or(code);
        for (index, part) in code.split('\'').enumerate() {
            if index > 0 {
                text.push('\'');
            }
            if index % 2 == 1 {
                text.push_str(part);
            } else {
                words(part, &mut text);
            }
        }
        text.push_str(comment);
        text.push('\n');
    }
    text
}

fn words(code: &str, text: &mut String) {
    let code = code.replace(" STRICT, WITHOUT ROWID", "").replace(" STRICT", "");
    let mut word = String::new();
    for letter in code.chars().chain([' ']) {
        if letter.is_ascii_alphanumeric() || letter == '_' {
            word.push(letter);
            continue;
        }
        text.push_str(match word.as_str() {
            "INTEGER" => "bigint",
            "BLOB" => "bytea",
            "TEXT" => "text COLLATE \"C\"",
            "char" => "chr",
            other => other,
        });
        word.clear();
        text.push(letter);
    }
    text.pop();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_put_in_its_words() {
        let step = "-- A TEXT about INTEGER.\nCREATE TABLE a (\n  bucket INTEGER NOT NULL, b TEXT CHECK (b IN ('TEXT', 'x')),\n  \
                    c BLOB,\n  PRIMARY KEY (b, c, bucket),\n  UNIQUE (c, bucket)\n) STRICT, WITHOUT ROWID;\nSELECT char(9) || 'char(9)';\n";
        assert_eq!(
            translate(step),
            "-- A TEXT about INTEGER.\nCREATE TABLE a (\n  bucket bigint NOT NULL, b text COLLATE \"C\" CHECK (b IN ('TEXT', 'x')),\n  \
             c bytea,\n  PRIMARY KEY (bucket, b, c),\n  UNIQUE (bucket, c)\n);\nSELECT chr(9) || 'char(9)';\n"
        );
    }

    #[test]
    fn a_marked_table_is_partitioned() {
        let step = "CREATE TABLE a ( -- by time: at\n  bucket INTEGER NOT NULL,\n  at INTEGER NOT NULL,\n  \
                    PRIMARY KEY (bucket)\n) STRICT;\nCREATE TABLE b (\n  bucket INTEGER,\n  PRIMARY KEY (bucket)\n) STRICT;\n";
        assert_eq!(
            translate(step),
            "CREATE TABLE a ( -- by time: at\n  bucket bigint NOT NULL,\n  at bigint NOT NULL,\n  \
             PRIMARY KEY (bucket, at)\n) PARTITION BY RANGE (at); CREATE TABLE a_default PARTITION OF a DEFAULT;\n\
             CREATE TABLE b (\n  bucket bigint,\n  PRIMARY KEY (bucket)\n);\n"
        );
    }

    #[test]
    fn nothing_of_sqlites_is_left() {
        for step in crate::schema::ALL {
            let text = translate(&step.sql);
            let code: String = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
            for word in ["STRICT", "ROWID", "BLOB", "INTEGER", "AUTOINCREMENT"] {
                assert!(!code.contains(word), "{}: {word}", step.name);
            }
        }
    }
}
