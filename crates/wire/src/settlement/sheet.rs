//! The file of one counterparty and day: CSV (RFC 4180), written item by item, read back with its line numbers.
//!
//! A head, the column names, one record an item, then the control totals: `total` for each kind and currency, `net`
//! for each currency, `end` with the number of items. The same items give the same bytes.
//! A text of somebody else's that a spreadsheet would take for a formula is written with a leading apostrophe.

use super::Day;
use accord_core::Timestamp;
use accord_core::ids::ClientId;
use accord_core::ledger::settle::{SettlementItem, SettlementKind, Totals};
use accord_core::money::Currency;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Error, Write};

/// The first field of every file.
pub const FORMAT: &str = "accord-settlement";
/// Raised when the meaning of a column changes.
pub const VERSION: &str = "1";

/// The columns of an item, behind the word `item`. Amounts are in smallest units, as the counterparty sees them.
pub const COLUMNS: [&str; 10] = [
    "kind",
    "settledAt",
    "currency",
    "value",
    "paymentRequestId",
    "paymentId",
    "refundRequestId",
    "refundId",
    "owner",
    "postingId",
];

/// How much of the day a file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// What was there before that time; the day was not over.
    Until(Timestamp),
}

/// Writes a file, item by item.
pub struct Writer<W: Write> {
    csv: csv::Writer<W>,
    day: Day,
    totals: Totals,
}

impl<W: Write> Writer<W> {
    /// Begins the file of a client and a day.
    pub fn new(out: W, client: &ClientId, day: &Day, extent: Extent) -> Result<Writer<W>, Error> {
        let csv = csv::WriterBuilder::new().flexible(true).terminator(csv::Terminator::CRLF).from_writer(out);
        let mut writer = Writer { csv, day: day.clone(), totals: Totals::default() };
        let (zone, span) = (day.zone(), day.span());
        let until = match extent {
            Extent::Whole => span.until,
            Extent::Until(at) => at.min(span.until),
        };
        let (from, until) = (zone.write(span.from), zone.write(until));
        let extent = if extent == Extent::Whole { "whole" } else { "partial" };
        let client = tame(client.as_str());
        writer.row(&[FORMAT, VERSION, &client, &day.date(), zone.name(), &from, &until, extent])?;
        let mut names = vec!["record"];
        names.extend(COLUMNS);
        writer.row(&names)?;
        Ok(writer)
    }

    fn row(&mut self, fields: &[&str]) -> Result<(), Error> {
        self.csv.write_record(fields).map_err(Error::from)
    }

    /// Writes an item. Items come in the order of the port: by time, then by posting.
    pub fn item(&mut self, item: &SettlementItem) -> Result<(), Error> {
        self.totals.add(item.currency, item.kind, item.amount);
        let at = self.day.zone().write(item.settled_at);
        let refund_request = item.refund_request_id.as_ref().map(|id| tame(id.as_str())).unwrap_or_default();
        self.row(&[
            "item",
            item.kind.as_str(),
            &at,
            item.currency.code(),
            &item.amount.to_string(),
            &tame(item.request_id.as_str()),
            item.payment.as_str(),
            &refund_request,
            item.refund.as_ref().map_or("", |id| id.as_str()),
            &tame(item.owner.as_str()),
            item.posting.as_str(),
        ])
    }

    /// Writes the control totals. Gives them, and what was written to.
    pub fn finish(mut self) -> Result<(Totals, W), Error> {
        let totals = std::mem::take(&mut self.totals);
        let mut count = 0;
        for ((currency, kind), total) in &totals.0 {
            count += total.count;
            self.row(&[
                "total",
                kind.as_str(),
                currency.code(),
                &total.count.to_string(),
                &total.sum.to_string(),
            ])?;
        }
        for (currency, net) in totals.net() {
            self.row(&["net", "", currency.code(), &net.count.to_string(), &net.sum.to_string()])?;
        }
        self.row(&["end", &count.to_string()])?;
        let out = self.csv.into_inner().map_err(|fault| Error::other(fault.to_string()))?;
        Ok((totals, out))
    }
}

/// A text that no spreadsheet takes for a formula. [`wild`] takes the apostrophe off again.
fn tame(text: &str) -> Cow<'_, str> {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\'']) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

fn wild(text: &str) -> &str {
    text.strip_prefix('\'').unwrap_or(text)
}

/// An item as a file tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it stands; 1 is the first line.
    pub number: u64,
    /// What it settles.
    pub kind: SettlementKind,
    /// In which currency.
    pub currency: Currency,
    /// Smallest units, signed.
    pub value: i64,
    /// All columns as text, in the order of [`COLUMNS`].
    pub fields: [String; 10],
}

impl Line {
    /// What makes it the only one: kind, paymentId and refundId.
    pub fn key(&self) -> (SettlementKind, &str, &str) {
        let [.., payment, _, refund, _, _] = &self.fields;
        (self.kind, payment, refund)
    }

    /// As people say it.
    pub fn sentence(&self) -> String {
        let [_, at, currency, value, request, payment, refund_request, refund, ..] = &self.fields;
        let refund = match refund.is_empty() {
            true => String::new(),
            false => format!(", refund {refund} ({refund_request})"),
        };
        format!("{} of {value} {currency} at {at}, payment {payment} ({request}){refund}", self.kind)
    }
}

/// A file that was read. What cannot be read is noted, and the rest is read on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Client, date, zone, from, until and extent of the head; empty: there is none.
    pub head: Vec<String>,
    /// Are its columns named, once, where they belong?
    pub named: bool,
    /// Its items.
    pub lines: Vec<Line>,
    /// What it says of its totals: count and sum by kind (`net`: all of them) and currency, with the line.
    pub totals: BTreeMap<(String, String), (u64, [String; 2])>,
    /// What it says of the number of its items.
    pub end: Option<String>,
    /// Lines that cannot be read, and why.
    pub faults: Vec<(u64, String)>,
}

/// What the head of a file tells behind format and version.
pub const HEAD: [&str; 6] = ["client", "date", "zone", "from", "until", "extent"];

/// Reads a file. Nothing of it is believed: [`compare`](super::compare) judges it.
pub fn read(bytes: &[u8]) -> Sheet {
    let mut sheet = Sheet::default();
    let mut lines = LineCount { bytes, at: 0, line: 1 };
    let mut csv = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bytes);
    for record in csv.records() {
        let start = match &record {
            Ok(record) => record.position(),
            Err(fault) => fault.position(),
        };
        let number = lines.of(start.map_or(0, csv::Position::byte));
        let taken = match &record {
            Ok(record) => sheet.take(number, &record.iter().collect::<Vec<_>>()),
            Err(_) => Err("is no CSV of UTF-8 text".to_owned()),
        };
        if let Err(why) = taken {
            sheet.faults.push((number, why));
        }
    }
    if sheet.head.is_empty() {
        sheet.faults.push((1, format!("there is no head: a file begins with {FORMAT},{VERSION}")));
    }
    if !sheet.named {
        sheet
            .faults
            .push((0, "there is no record `record`, which names the columns behind the head".to_owned()));
    }
    if sheet.end.is_none() {
        sheet.faults.push((0, "there is no record `end`: the file may be cut off".to_owned()));
    }
    sheet
}

/// Counts lines up to a place in a file; places come in order. The reader's own count is behind by one after CR LF.
struct LineCount<'b> {
    bytes: &'b [u8],
    at: usize,
    line: u64,
}

impl LineCount<'_> {
    /// The line of the record that begins at that byte, line ends before it left out.
    fn of(&mut self, start: u64) -> u64 {
        let mut start = usize::try_from(start).unwrap_or(usize::MAX).max(self.at);
        while matches!(self.bytes.get(start), Some(b'\r' | b'\n')) {
            start += 1;
        }
        let between = self.bytes.get(self.at..start).unwrap_or_default();
        self.line += between.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = start;
        self.line
    }
}

impl Sheet {
    fn take(&mut self, number: u64, fields: &[&str]) -> Result<(), String> {
        match fields {
            ["record", names @ ..] if !self.head.is_empty() && self.lines.is_empty() => {
                if std::mem::replace(&mut self.named, true) {
                    return Err("names the columns a second time".to_owned());
                }
                match names.iter().eq(COLUMNS.iter()) {
                    true => Ok(()),
                    false => Err(format!("names other columns than {}", COLUMNS.join(","))),
                }
            }
            [format, version, head @ ..] if *format == FORMAT && self.head.is_empty() => {
                if *version != VERSION || head.len() != HEAD.len() {
                    return Err(format!("is the head of another version than {VERSION}"));
                }
                self.head = head.iter().map(|field| wild(field).to_owned()).collect();
                Ok(())
            }
            ["item", columns @ ..] => {
                let line = item(number, columns)?;
                self.lines.push(line);
                Ok(())
            }
            ["net", kind, ..] if !kind.is_empty() => {
                Err(format!("is the net of all kinds, not that of `{kind}`"))
            }
            ["total" | "net", kind, currency, count, sum] => {
                let kind = if fields.first() == Some(&"net") { "net" } else { kind };
                let said = (number, [(*count).to_owned(), (*sum).to_owned()]);
                match self.totals.insert((kind.to_owned(), (*currency).to_owned()), said) {
                    None => Ok(()),
                    Some(_) => Err(format!("tells the total of {kind} {currency} a second time")),
                }
            }
            ["end", count] if self.end.is_none() => {
                self.end = Some((*count).to_owned());
                Ok(())
            }
            _ => Err("is no record of this format".to_owned()),
        }
    }
}

fn item(number: u64, columns: &[&str]) -> Result<Line, String> {
    let columns: [&str; 10] =
        columns.try_into().map_err(|_| format!("has {} columns, not 11", columns.len() + 1))?;
    let [kind, _, currency, value, ..] = columns;
    let kind = SettlementKind::parse(kind).ok_or_else(|| format!("tells no kind: `{kind}`"))?;
    let currency = Currency::parse(currency).ok_or_else(|| format!("tells no currency: `{currency}`"))?;
    let value = value.parse().map_err(|_| format!("tells no amount: `{value}`"))?;
    let mut fields = columns.map(|field| wild(field).to_owned());
    // A negative amount is a number, not a formula, and `007` is 7.
    let [_, _, _, text, ..] = &mut fields;
    *text = i64::to_string(&value);
    Ok(Line { number, kind, currency, value, fields })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_looks_like_a_formula_is_tamed_and_comes_back() {
        for text in ["=1+1", "+964", "-2", "@SUM(A1)", "\tx", "\rx", "'quoted", "plain", "", "a=b"] {
            let tamed = tame(text);
            assert_eq!(wild(&tamed), text);
            assert!(!tamed.starts_with(['=', '+', '-', '@', '\t', '\r']), "{tamed}");
        }
    }

    #[test]
    fn what_is_no_settlement_file_is_told_line_by_line() {
        let faults = |text: &str| -> Vec<String> {
            read(text.as_bytes()).faults.into_iter().map(|(line, why)| format!("{line} {why}")).collect()
        };
        assert_eq!(faults("").len(), 3);
        let said = faults("accord-settlement,2,c,d,z,f,u,whole\r\nitem,debit\r\nend,0\r\n").join("\n");
        for part in ["1 is the head of another version", "2 has 2 columns", "1 there is no head"] {
            assert!(said.contains(part), "{said}");
        }
        let head = "accord-settlement,1,c,d,z,f,u,whole\r\n";
        let names = format!("record,{}\r\n", COLUMNS.join(","));
        let end = "end,0\r\n";
        for (body, said) in [
            (format!("{names}{end}"), None),
            (end.to_owned(), Some("0 there is no record `record`")),
            (format!("{names}{names}{end}"), Some("3 names the columns a second time")),
            (format!("{}{end}", names.replace("value", "amount")), Some("2 names other columns than")),
            (format!("{}{end}", names.replace(",kind", "")), Some("2 names other columns than")),
            (format!("{names}net,,IQD,0,0\r\n{end}"), None),
            (format!("{names}net,debit,IQD,0,0\r\n{end}"), Some("3 is the net of all kinds")),
        ] {
            let told = faults(&format!("{head}{body}"));
            match said {
                None => assert_eq!(told, Vec::<String>::new(), "{body}"),
                Some(said) => assert!(told.len() == 1 && told[0].contains(said), "{body}: {told:?}"),
            }
        }
        let item = |kind: &str, currency: &str, value: &str| {
            format!("{head}{names}item,{kind},t,{currency},{value},r,p,,,o,x\r\nend,1\r\n")
        };
        assert_eq!(faults(&item("debit", "IQD", "5")), Vec::<String>::new());
        assert!(faults(&item("gift", "IQD", "5"))[0].contains("3 tells no kind"));
        assert!(faults(&item("debit", "XXX", "5"))[0].contains("3 tells no currency"));
        assert!(faults(&item("debit", "IQD", "5.0"))[0].contains("3 tells no amount"));
        assert!(faults("\u{0}\r\n\"")[0].contains("no record"));
    }
}
