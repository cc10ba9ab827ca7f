//! The Alipay+ MPP API, Auto Debit.
