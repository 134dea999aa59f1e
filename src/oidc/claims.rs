//! What the claims of somebody mean here: the roles and the shown name. They are verified already. It does not know who
//! says them.

use access::{Role, Roles};
use serde_json::Value;

use crate::plain;
use crate::work::MAX_BY_CHARS;

/// The claims that are tried as a name, best first.
const NAMES: [&str; 2] = ["name", "preferred_username"];

/// The roles that a claim means; none if no value has one. `path` is the name of a claim, or names from the outside in with dots
/// between them, such as `realm_access.roles`.
pub(super) fn roles(claims: &Value, path: &str, known: &[(String, Role)]) -> Roles {
    let nested = || path.split('.').try_fold(claims, |value, name| value.get(name));
    let values: Vec<&str> = match claims.get(path).or_else(nested) {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let of = known.iter().filter(|(value, _)| values.contains(&value.as_str())).map(|(_, role)| *role);
    of.collect::<Vec<_>>().into()
}

/// The name that others see: what can be shown of the first claim that is one, else `subject`.
pub(super) fn shown(claims: &Value, subject: &str) -> String {
    let said = NAMES.iter().filter_map(|name| claims.get(name)?.as_str());
    let visible = |text: &str| -> String {
        text.chars()
            .filter(|character| !plain::is_hazard(*character))
            .take(MAX_BY_CHARS)
            .collect::<String>()
            .trim()
            .to_owned()
    };
    let mut names = said.chain([subject]).map(visible).filter(|text| !text.is_empty());
    names.next().unwrap_or_else(|| "?".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn roles_are_those_of_the_mapped_values_alone() {
        let known = [("desk", Role::Operator), ("it", Role::Admin), ("chief", Role::Supervisor)];
        let known = known.map(|(value, role)| (value.to_owned(), role));
        let of = |claims: Value, path: &str| roles(&claims, path, &known).iter().collect::<Vec<_>>();
        assert_eq!(of(json!({"groups": ["it", "desk", "golf"]}), "groups"), [Role::Operator, Role::Admin]);
        assert_eq!(of(json!({"groups": "desk"}), "groups"), [Role::Operator]);
        assert_eq!(of(json!({"realm_access": {"roles": ["chief"]}}), "realm_access.roles"), [Role::Supervisor]);
        assert_eq!(of(json!({"https://a.b/roles": ["it"]}), "https://a.b/roles"), [Role::Admin]);
        for none in [
            json!({}),
            json!({"groups": []}),
            json!({"groups": ["Desk", "desk "]}),
            json!({"groups": {"desk": 1}}),
            json!({"groups": 1}),
        ] {
            assert_eq!(of(none.clone(), "groups"), [], "{none}");
        }
    }

    #[test]
    fn a_name_is_harmless_and_there_always_is_one() {
        assert_eq!(shown(&json!({"name": "王警官", "preferred_username": "wang"}), "17"), "王警官");
        assert_eq!(shown(&json!({"name": " \u{202e} ", "preferred_username": "wa\u{1b}ng"}), "17"), "wang");
        assert_eq!(shown(&json!({"name": 5}), "17"), "17");
        assert_eq!(shown(&json!({"name": "王".repeat(500)}), "17").chars().count(), MAX_BY_CHARS);
        assert_eq!(shown(&json!({}), "\n"), "?");
    }
}
