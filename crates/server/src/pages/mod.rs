//! What people see: pages and messages, as pure functions from a view to HTML text.
//!
//! A view is filled by whoever answers the request; a function here turns it into a page. Nothing here knows a
//! socket, a cookie, a clock or a store, and nothing here decides. Words come from the message files
//! ([`i18n`]), markup from the templates. Text of merchants is shown as text, never as markup, and apart from
//! the text around it ([`markup`]). Every page works without scripts; headers for them are in [`policy`].

pub mod admin;
pub mod assets;
pub mod authorize;
pub mod brand;
pub mod brief;
pub mod confirm;
pub mod demo;
pub mod demo_shop;
pub mod demo_wire;
pub mod device;
pub mod handover;
pub mod home;
pub mod i18n;
pub mod letter;
pub mod markup;
pub mod messages;
pub mod policy;
pub mod qr;
pub mod result;
pub mod wallet;

#[cfg(test)]
mod demo_samples;
#[cfg(test)]
mod laws;

/// A template as text. Writing into memory fails only if a value refuses to be shown, and ours do not; an empty
/// page would be seen by every test.
fn write(template: &impl askama::Template) -> String {
    template.render().unwrap_or_default()
}
