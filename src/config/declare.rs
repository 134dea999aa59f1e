//! How a setting is declared: name, type, default, documentation and check in one place.
//!
//! [`settings!`] turns such a list into a struct with defaults and a [`Section`], through which the loader sets values
//! by name and the reference lists them. [`choices!`] does the same for a setting that is one of a few words. This
//! module knows no setting; they are declared in `sections`.

use toml::de::DeValue;

/// A given value: from the file, or as the text of an environment variable.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    /// A TOML value.
    Toml(&'a DeValue<'a>),
    /// Text outside TOML, such as `5m`, `160` and `["a", "b"]`.
    Text(&'a str),
}

impl Given<'_> {
    pub(super) fn read<T: Setting>(self) -> Result<T, String> {
        match self {
            Self::Toml(value) => T::from_toml(value),
            Self::Text(text) => T::from_text(text),
        }
    }
}

/// A type that a setting may have.
pub(super) trait Setting: Sized {
    /// What may be written, for the reference and for messages.
    fn expected() -> String;

    /// Reads a TOML value. The error says what is wrong and what to write instead.
    fn from_toml(value: &DeValue<'_>) -> Result<Self, String>;

    /// The value as TOML.
    fn to_toml(&self) -> String;

    /// The same for others to see: without what is secret.
    fn to_shown(&self) -> String {
        self.to_toml()
    }

    /// Whether it is printed as a comment, because setting it explicitly means more than the default.
    fn is_unwritten(&self) -> bool {
        false
    }

    /// Reads the text of an environment variable: as it stands, else as TOML.
    fn from_text(text: &str) -> Result<Self, String> {
        let plain = Self::from_toml(&DeValue::String(text.into()));
        if plain.is_ok() {
            return plain;
        }
        match DeValue::parse(text) {
            Ok(value) => Self::from_toml(value.get_ref()),
            Err(_) => plain,
        }
    }
}

/// A check of a value beyond its type.
pub(super) trait Check<T> {
    /// For the reference: what is checked.
    fn note(&self) -> Option<String> {
        None
    }

    /// Checks `value`. The error says what is wrong and what to write instead.
    fn check(&self, value: &T) -> Result<(), String>;
}

impl<T, F: Fn(&T) -> Result<(), String>> Check<T> for F {
    fn check(&self, value: &T) -> Result<(), String> {
        self(value)
    }
}

/// The accepted values of a `T`, with the notes of its check.
pub(super) fn expected_of<T: Setting>(notes: &[Option<String>]) -> String {
    let mut text = T::expected();
    for note in notes.iter().flatten() {
        text.push_str("; ");
        text.push_str(note);
    }
    text
}

/// One setting of a section with its current value.
pub(super) struct Described {
    pub(super) key: &'static str,
    pub(super) docs: &'static [&'static str],
    pub(super) expected: String,
    pub(super) value: String,
    /// The value without what is secret.
    pub(super) shown: String,
    pub(super) is_unwritten: bool,
}

/// A struct of settings, addressed by name.
pub(super) trait Section {
    /// What the section is for, line by line.
    fn docs(&self) -> &'static [&'static str];

    /// The settings in the order of their declaration.
    fn settings(&self) -> Vec<Described>;

    /// Sets `key`; none if there is no such key.
    fn set(&mut self, key: &str, given: Given<'_>) -> Option<Result<(), String>>;

    /// The sections below this one.
    fn sections(&self) -> Vec<(&'static str, &dyn Section)>;

    /// The section named `name` below this one.
    fn section_mut(&mut self, name: &str) -> Option<&mut dyn Section>;
}

/// Declares a struct of settings: `key: Type = default;`, or `key: Type = default, check;` with a [`Check`].
macro_rules! settings {
    (
        $(#[doc = $struct_doc:literal])*
        pub struct $name:ident {
            $( $(#[doc = $doc:literal])* $key:ident : $type:ty = $default:expr $(, $check:expr)? ; )*
        }
        $( sections { $( $section:ident : $section_type:ty ; )* } )?
    ) => {
        $(#[doc = $struct_doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $( $(#[doc = $doc])* pub $key: $type, )*
            $( $( #[doc = concat!("`[", stringify!($section), "]`")] pub $section: $section_type, )* )?
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $( $key: $default, )*
                    $( $( $section: Default::default(), )* )?
                }
            }
        }

        impl $crate::config::declare::Section for $name {
            fn docs(&self) -> &'static [&'static str] {
                &[ $( $struct_doc ),* ]
            }

            fn settings(&self) -> Vec<$crate::config::declare::Described> {
                vec![ $( $crate::config::declare::Described {
                    key: stringify!($key),
                    docs: &[ $( $doc ),* ],
                    expected: $crate::config::declare::expected_of::<$type>(
                        &[ $( $crate::config::declare::Check::<$type>::note(&$check) )? ],
                    ),
                    value: $crate::config::declare::Setting::to_toml(&self.$key),
                    shown: $crate::config::declare::Setting::to_shown(&self.$key),
                    is_unwritten: $crate::config::declare::Setting::is_unwritten(&self.$key),
                } ),* ]
            }

            #[allow(unused_variables, reason = "a section may have no keys")]
            fn set(&mut self, key: &str, given: $crate::config::declare::Given<'_>) -> Option<Result<(), String>> {
                match key {
                    $( stringify!($key) => Some(given.read::<$type>().and_then(|value| {
                        $( $crate::config::declare::Check::check(&$check, &value)?; )?
                        self.$key = value;
                        Ok(())
                    })), )*
                    _ => None,
                }
            }

            fn sections(&self) -> Vec<(&'static str, &dyn $crate::config::declare::Section)> {
                vec![ $( $( (stringify!($section), &self.$section as _) ),* )? ]
            }

            #[allow(clippy::match_single_binding, reason = "most sections have none below them")]
            fn section_mut(&mut self, name: &str) -> Option<&mut dyn $crate::config::declare::Section> {
                match name {
                    $( $( stringify!($section) => Some(&mut self.$section), )* )?
                    _ => None,
                }
            }
        }
    };
}

/// Declares a setting that is one of a few words. Words under `later` are known but not built; each says what to do.
macro_rules! choices {
    (
        $(#[doc = $enum_doc:literal])*
        pub enum $name:ident { $( $(#[doc = $doc:literal])* $variant:ident = $word:literal, )* }
        $( later { $( $later:literal => $message:literal, )* } )?
    ) => {
        $(#[doc = $enum_doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $( $(#[doc = $doc])* $variant, )* }

        impl $name {
            /// All choices, in the order of their declaration.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$variant),*];

            /// The word in the configuration.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }
        }

        impl $crate::config::declare::Setting for $name {
            fn expected() -> String {
                $crate::config::text::alternatives(&[ $( $word ),* ])
            }

            fn from_toml(value: &toml::de::DeValue<'_>) -> Result<Self, String> {
                match $crate::config::text::text_of(value, &Self::expected())? {
                    $( $word => Ok(Self::$variant), )*
                    $( $( $later => Err(format!("\"{}\": {}", $later, $message)), )* )?
                    other => Err($crate::config::text::no_choice(other, &[ $( $word ),* ])),
                }
            }

            fn to_toml(&self) -> String {
                $crate::config::text::quoted(self.as_str())
            }
        }
    };
}

pub(super) use {choices, settings};
