//! Enums whose values have a name in the API, in metrics and in logs, each declared once with its names.

/// Declares an enum, the list of its values, and the name of each.
macro_rules! named {
    (
        $(#[$meta:meta])*
        pub enum $enum:ident { $( $(#[$value_meta:meta])* $value:ident = $name:literal, )+ }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $enum { $( $(#[$value_meta])* $value, )+ }

        impl $enum {
            /// All values, in the order of their declaration.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$value),+];

            /// The name in the API, in metrics and in logs.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$value => $name, )+ }
            }
        }
    };
}

pub(crate) use named;
