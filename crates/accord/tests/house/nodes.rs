//! Several nodes of one wallet on one PostgreSQL database, called in turn as behind a plain round robin.

use super::House;
use super::cluster::Node;
use super::shop::Shop;
use super::support::{On, run};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The nodes. The first one is the house, which the sandbox's control API is asked of.
pub struct Nodes {
    // Ended before the house, whose schema they work on.
    others: Vec<Node>,
    pub house: House,
    turn: AtomicUsize,
}

impl Nodes {
    /// So many nodes on an empty database; nothing when the machine has no PostgreSQL, which is said.
    pub fn open(name: &str, nodes: usize) -> Option<Nodes> {
        if !On::Postgres.is_there() {
            return None;
        }
        Some(Nodes::beside(House::open(name, On::Postgres), nodes))
    }

    /// More nodes beside a house.
    pub fn beside(house: House, nodes: usize) -> Nodes {
        let mut all = Nodes { others: Vec::new(), house, turn: AtomicUsize::new(0) };
        for _ in 1..nodes {
            all.join();
        }
        all
    }

    /// One more node, once it is ready.
    pub fn join(&mut self) {
        self.others.push(Node::join(&self.house, &self.store()));
    }

    /// One more node that takes no part in the round robin.
    pub fn beside_them(&self, environment: &[(&str, &str)]) -> Node {
        Node::start(&self.house, &self.store(), environment)
    }

    /// Kills a node as `kill -9` does: 0 is the house.
    pub fn kill(&mut self, node: usize) {
        match node.checked_sub(1) {
            None => self.house.kill(),
            Some(other) => {
                self.others.remove(other).kill();
            }
        }
    }

    /// Brings the number of nodes back to what it was before [`Nodes::kill`].
    pub fn replace(&mut self, node: usize) {
        if node == 0 {
            self.house.start();
        } else {
            self.join();
        }
    }

    /// Base URLs, that of the house first.
    pub fn urls(&self) -> Vec<String> {
        let others = self.others.iter().map(|node| node.url.clone());
        std::iter::once(self.house.url.clone()).chain(others).collect()
    }

    /// The nodes beside the house.
    pub fn others(&self) -> Vec<&Node> {
        self.others.iter().collect()
    }

    /// The URL of a node that still lives when that one was killed.
    pub fn alive(&self, killed: usize) -> String {
        let other = self.others.first().map(|node| node.url.clone());
        if killed == 0 { other.expect("another node") } else { self.house.url.clone() }
    }

    /// The URL of the node whose turn it is.
    pub fn next(&self) -> String {
        let urls = self.urls();
        urls[self.turn.fetch_add(1, Ordering::Relaxed) % urls.len()].clone()
    }

    /// A test client, once for each node.
    pub fn shops(&self, who: &str) -> Vec<Shop> {
        let shop = self.house.shop(who);
        self.urls().iter().map(|url| shop.at(url)).collect()
    }

    /// As `--store` takes it.
    pub fn store(&self) -> String {
        self.house.dir.store()
    }

    /// Runs statements in the database, and gives what they say.
    pub fn sql(&self, statements: &str) -> String {
        self.house.dir.schema().expect("a schema").sql(statements)
    }

    /// A number that the database says.
    #[track_caller]
    pub fn count(&self, statement: &str) -> i64 {
        let said = self.sql(statement);
        said.parse().unwrap_or_else(|_| panic!("{statement}: {said}"))
    }

    /// The books balance.
    pub fn verify_ledger(&self) {
        let data = self.house.data();
        let said = run(&["ledger", "verify", "--data", data.to_str().expect("UTF-8"), "--json"]).ends(0);
        assert_eq!(said.json()["balanced"], true, "{}", said.out);
    }
}
