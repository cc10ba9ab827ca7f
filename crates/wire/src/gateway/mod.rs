//! The envelope around every call.
