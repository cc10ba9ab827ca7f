//! What a column holds, whichever engine keeps it: text, bytes, a 64-bit integer or nothing. A boolean is 0 or 1.

/// One value, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Nothing.
    Null,
    /// An integer.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// What can be given to a statement.
pub(crate) trait Field {
    /// The value, as columns hold it.
    fn value(&self) -> Value<'_>;
}

/// The parameters of a statement: the first is `?1`.
pub(crate) type Params<'a> = &'a [&'a dyn Field];

/// Parameters, one for each expression.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$(&$value as &dyn $crate::rows::value::Field),*] as $crate::rows::value::Params<'_>
    };
}
pub(crate) use params;

macro_rules! integers {
    ($($kind:ty),+) => {
        $(impl Field for $kind {
            fn value(&self) -> Value<'_> {
                Value::Int(i64::from(*self))
            }
        }
        impl FromValue for $kind {
            fn from_value(value: Value<'_>) -> Option<$kind> {
                match value {
                    Value::Int(number) => <$kind>::try_from(number).ok(),
                    _ => None,
                }
            }
        })+
    };
}
integers!(i64, i32, u32, u16, u8);

impl Field for bool {
    fn value(&self) -> Value<'_> {
        Value::Int(i64::from(*self))
    }
}

impl Field for str {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Field for String {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl Field for Vec<u8> {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<const N: usize> Field for [u8; N] {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<T: Field + ?Sized> Field for &T {
    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}

impl<T: Field> Field for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Field::value)
    }
}

/// What can be read from a column.
pub(crate) trait FromValue: Sized {
    /// The value as this type; nothing when it is of another.
    fn from_value(value: Value<'_>) -> Option<Self>;
}

impl FromValue for bool {
    fn from_value(value: Value<'_>) -> Option<bool> {
        match value {
            Value::Int(number) => Some(number != 0),
            _ => None,
        }
    }
}

impl FromValue for String {
    fn from_value(value: Value<'_>) -> Option<String> {
        match value {
            Value::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: Value<'_>) -> Option<Vec<u8>> {
        match value {
            Value::Bytes(bytes) => Some(bytes.to_owned()),
            _ => None,
        }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: Value<'_>) -> Option<[u8; N]> {
        match value {
            Value::Bytes(bytes) => bytes.try_into().ok(),
            _ => None,
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value<'_>) -> Option<Option<T>> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}
