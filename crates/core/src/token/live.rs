//! The act of this name.
