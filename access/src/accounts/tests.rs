//! Changes of users and tokens, and what they refuse.

use super::*;
use crate::permission::Permission;
use crate::secret::Secret;

fn user(name: &str, roles: &[Role]) -> User {
    User {
        name: UserName::parse(name).unwrap(),
        shown: name.to_owned(),
        roles: roles.to_vec().into(),
        area: None,
        password: None,
        must_change: false,
        disabled: false,
        made_at: 0,
        password_at: 0,
    }
}

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

#[test]
fn users_are_found_changed_and_kept_apart() {
    let mut accounts = Accounts::default();
    assert!(accounts.are_empty());
    for (who, role) in [("wang", Role::Operator), ("adm", Role::Admin), ("li", Role::Viewer)] {
        accounts.add(user(who, &[role])).unwrap();
    }
    assert_eq!(accounts.add(user("li", &[Role::Admin])), Err(AccountError::Exists(name("li"))));
    assert_eq!(accounts.add(user("zhao", &[])), Err(AccountError::NoRole));
    let names: Vec<&str> = accounts.users().iter().map(|user| user.name.as_str()).collect();
    assert_eq!(names, ["adm", "li", "wang"]);
    accounts.set_roles(&name("li"), vec![Role::Viewer, Role::Operator].into()).unwrap();
    assert!(accounts.user(&name("li")).unwrap().permissions().allow(Permission::Plates));
    accounts.set_disabled(&name("li"), true).unwrap();
    assert_eq!(accounts.user(&name("li")).unwrap().permissions(), Permissions::default());
    assert_eq!(accounts.set_disabled(&name("sun"), true), Err(AccountError::NoUser(name("sun"))));
    let hash = PasswordHash::new("three lorries in fog", "wang", [1; 16]).unwrap();
    accounts.set_password(&name("wang"), hash, true, 7).unwrap();
    let wang = accounts.user(&name("wang")).unwrap();
    assert!(wang.must_change && wang.password_at == 7 && wang.password.as_ref().unwrap().is("three lorries in fog"));
    let text = serde_json::to_string(&accounts).unwrap();
    assert_eq!(serde_json::from_str::<Accounts>(&text).unwrap(), accounts);
}

#[test]
fn somebody_can_always_manage_users() {
    let mut accounts = Accounts::default();
    accounts.add(user("one", &[Role::Admin])).unwrap();
    let last = Err(AccountError::LastAdmin(name("one")));
    assert_eq!(accounts.set_disabled(&name("one"), true), last);
    assert_eq!(accounts.set_roles(&name("one"), vec![Role::Viewer].into()), last);
    accounts.add(user("two", &[Role::Admin, Role::Operator])).unwrap();
    accounts.set_disabled(&name("one"), true).unwrap();
    assert_eq!(accounts.set_disabled(&name("two"), true), Err(AccountError::LastAdmin(name("two"))));
}

#[test]
fn a_change_is_made_as_a_whole_and_nobody_disables_themselves() {
    let [boss, deputy, wang] = ["boss", "deputy", "wang"].map(name);
    let mut accounts = Accounts::default();
    for (who, role) in [("boss", Role::Admin), ("wang", Role::Operator)] {
        accounts.add(user(who, &[role])).unwrap();
    }
    let disable = || UserChange { disabled: Some(true), ..UserChange::default() };
    let roles = |roles: &[Role]| UserChange { roles: Some(roles.to_vec().into()), ..UserChange::default() };
    assert_eq!(accounts.change_user(&boss, disable(), &boss, 1), Err(AccountError::OwnAccount(boss.clone())));
    assert_eq!(accounts.change_user(&boss, disable(), &wang, 1), Err(AccountError::LastAdmin(boss.clone())));
    let demoted = accounts.change_user(&boss, roles(&[Role::Viewer]), &boss, 1);
    assert_eq!(demoted, Err(AccountError::LastAdmin(boss.clone())));
    assert_eq!(accounts.change_user(&wang, roles(&[]), &boss, 1), Err(AccountError::NoRole));
    assert_eq!(accounts.change_user(&deputy, disable(), &boss, 1), Err(AccountError::NoUser(deputy.clone())));
    let hash = PasswordHash::new("three lorries in fog", "wang", [1; 16]).unwrap();
    let whole = UserChange {
        roles: Some(vec![Role::Supervisor].into()),
        shown: Some("王警官".to_owned()),
        disabled: Some(true),
        password: Some(hash),
        ..UserChange::default()
    };
    accounts.change_user(&wang, whole, &boss, 7).unwrap();
    let changed = accounts.user(&wang).unwrap();
    assert!(changed.disabled && changed.must_change && changed.password_at == 7 && changed.shown == "王警官");
    assert!(changed.roles.have(Role::Supervisor) && !changed.roles.have(Role::Operator));
    accounts.change_user(&wang, UserChange::default(), &boss, 8).unwrap();
    assert!(accounts.user(&wang).unwrap().disabled, "an empty change leaves all as it is");
    accounts.add(user("deputy", &[Role::Admin])).unwrap();
    accounts.change_user(&boss, roles(&[Role::Viewer]), &boss, 9).unwrap();
    assert!(accounts.change_user(&deputy, disable(), &boss, 9).is_err(), "now that one is the last");
}

#[test]
fn a_user_is_limited_to_an_area_unless_the_role_is_about_all() {
    let [boss, wang] = ["boss", "wang"].map(name);
    let mut accounts = Accounts::default();
    for (who, role) in [("boss", Role::Admin), ("other", Role::Admin), ("wang", Role::Operator)] {
        accounts.add(user(who, &[role])).unwrap();
    }
    let area = Area::of(vec!["邳州市".to_owned()], Vec::new());
    assert_eq!(accounts.set_area(&boss, area.clone()), Err(AccountError::UnlimitedRole(boss.clone())));
    accounts.set_area(&wang, area.clone()).unwrap();
    assert_eq!(accounts.user(&wang).unwrap().area, area);
    let auditor = Roles::from(vec![Role::Operator, Role::Auditor]);
    assert_eq!(accounts.set_roles(&wang, auditor.clone()), Err(AccountError::UnlimitedRole(wang.clone())));
    let change = UserChange { roles: Some(auditor), ..UserChange::default() };
    assert!(accounts.clone().change_user(&wang, change.clone(), &boss, 1).is_err());
    let more = UserChange { checkpoints: Some(vec!["G3_Sulu".to_owned()]), ..UserChange::default() };
    accounts.change_user(&wang, more, &boss, 1).unwrap();
    assert_eq!(accounts.user(&wang).unwrap().area, Area::of(vec!["邳州市".to_owned()], vec!["G3_Sulu".to_owned()]));
    let text = serde_json::to_string(&accounts).unwrap();
    assert_eq!(serde_json::from_str::<Accounts>(&text).unwrap(), accounts);
    let whole = UserChange { districts: Some(Vec::new()), checkpoints: Some(Vec::new()), ..change };
    accounts.change_user(&wang, whole, &boss, 1).unwrap();
    assert_eq!(accounts.user(&wang).unwrap().area, None);
    assert!(!serde_json::to_string(&accounts).unwrap().contains("area"), "as files were before");
    let large = Area::of(vec!["邳".repeat(200)], Vec::new());
    accounts.set_roles(&wang, vec![Role::Operator].into()).unwrap();
    assert_eq!(accounts.set_area(&wang, large.clone()), Err(AccountError::LargeArea));
    let token = Token::new(Digest::of("x"), wang, String::new(), vec![Permission::Plates], 0, None);
    assert_eq!(accounts.add_token(token.within(large)), Err(AccountError::LargeArea));
}

#[test]
fn a_token_is_granted_what_its_owner_may() {
    let mut accounts = Accounts::default();
    accounts.add(user("wang", &[Role::Operator])).unwrap();
    let token = |owner: &str, scopes: &[Permission]| {
        Token::new(Digest::of(owner), name(owner), String::new(), scopes.to_vec(), 0, None)
    };
    let greedy = accounts.grant_token(token("wang", &[Permission::Plates, Permission::Users, Permission::Audit]));
    let beyond = vec![Permission::Users, Permission::Audit];
    assert_eq!(greedy, Err(AccountError::BeyondOwner { owner: name("wang"), beyond }));
    assert!(greedy.unwrap_err().to_string().contains("do not include users, audit"));
    assert_eq!(accounts.grant_token(token("sun", &[Permission::Plates])), Err(AccountError::NoUser(name("sun"))));
    assert_eq!(accounts.grant_token(token("wang", &[])), Err(AccountError::NoScope));
    accounts.grant_token(token("wang", &[Permission::Plates])).unwrap();
    accounts.set_disabled(&name("wang"), true).unwrap();
    assert!(accounts.grant_token(token("wang", &[Permission::Plates])).is_err(), "a disabled owner may nothing");
    assert_eq!(accounts.tokens().len(), 1);
}

#[test]
fn a_token_may_never_more_than_its_owner() {
    let mut accounts = Accounts::default();
    accounts.add(user("wang", &[Role::Operator])).unwrap();
    let secret = Secret::new(Token::PREFIX, [3; 32]);
    let scopes = vec![Permission::Plates, Permission::Users];
    let token = Token::new(secret.digest(), name("wang"), "script".to_owned(), scopes, 10, Some(100));
    accounts.add_token(token.clone()).unwrap();
    let found = accounts.by_digest().remove(&Digest::of(secret.reveal())).unwrap();
    assert_eq!(found, token);
    let only = |permissions: Permissions| permissions.iter().collect::<Vec<_>>();
    assert_eq!(only(accounts.permissions_of(&found, 99)), [Permission::Plates]);
    assert_eq!(only(accounts.permissions_of(&found, 100)), [], "expired");
    accounts.set_roles(&name("wang"), vec![Role::Viewer].into()).unwrap();
    assert_eq!(only(accounts.permissions_of(&found, 50)), []);
    let orphan = Token { owner: name("sun"), ..token.clone() };
    assert_eq!(accounts.add_token(orphan), Err(AccountError::NoUser(name("sun"))));
    assert_eq!(accounts.add_token(Token { scopes: vec![], ..token.clone() }), Err(AccountError::NoScope));
    assert_eq!(accounts.revoke(token.id.as_str()).unwrap(), token);
    assert!(accounts.revoke(token.id.as_str()).is_err() && accounts.tokens().is_empty());
}

#[test]
fn whom_a_provider_vouches_for_has_an_account_apart() {
    let mut accounts = Accounts::default();
    accounts.add(user("boss", &[Role::Admin])).unwrap();
    let id = |subject: &str| ExternalId { issuer: "https://login".to_owned(), subject: subject.to_owned() };
    let says = |subject: &str, shown: &str, roles: &[Role]| {
        let (id, shown) = (id(subject), shown.to_owned());
        ExternalUser { id, shown, roles: roles.to_vec().into() }
    };
    let one = accounts.enter(says("1", "boss", &[Role::Operator]), 5).unwrap();
    assert!(one != name("boss") && accounts.external(&id("1")).unwrap().password.is_none());
    assert_eq!(accounts.external_id(&one), Some(&id("1")));
    // Another takes over the name there, and nothing here.
    assert_eq!(accounts.enter(says("1", "王", &[Role::Admin]), 6).as_ref(), Ok(&one));
    let two = accounts.enter(says("2", "boss", &[Role::Viewer]), 7).unwrap();
    assert_ne!(one, two);
    assert_eq!((accounts.users().len(), accounts.user(&one).unwrap().made_at), (3, 5));
    assert_eq!(accounts.user(&one).unwrap().roles, vec![Role::Admin].into());
    // It does not count as an admin of our own, and is none any more when the provider says so.
    assert_eq!(accounts.set_disabled(&name("boss"), true), Err(AccountError::LastAdmin(name("boss"))));
    accounts.enter(says("1", "王", &[Role::Viewer]), 8).unwrap();
    // Only disabling is done here.
    let hash = PasswordHash::new("three lorries in fog", "x", [1; 16]).unwrap();
    let refused = Err(AccountError::External(one.clone()));
    assert_eq!(accounts.set_password(&one, hash, true, 9), refused);
    assert_eq!(accounts.set_roles(&one, vec![Role::Admin].into()), refused);
    let shown = UserChange { shown: Some("x".to_owned()), ..UserChange::default() };
    assert_eq!(accounts.change_user(&one, shown, &name("boss"), 9), refused);
    // Who is limited to an area here does not get beyond it by what the provider says.
    accounts.set_area(&one, Area::of(vec!["邳州市".to_owned()], Vec::new())).unwrap();
    let unlimited = accounts.enter(says("1", "王", &[Role::Admin]), 9);
    assert_eq!(unlimited, Err(AccountError::UnlimitedRole(one.clone())));
    assert_eq!(accounts.enter(says("1", "王", &[Role::Supervisor]), 9).as_ref(), Ok(&one));
    assert!(accounts.user(&one).unwrap().area.is_some());
    accounts.set_disabled(&one, true).unwrap();
    assert_eq!(accounts.enter(says("1", "王", &[Role::Viewer]), 10), Err(AccountError::Disabled(one)));
    assert_eq!(accounts.enter(says("2", "boss", &[]), 10), Err(AccountError::NoRole));
    // A user of our own who has the name that would be made keeps it.
    let taken = id("3").user_name().unwrap();
    accounts.add(user(taken.as_str(), &[Role::Viewer])).unwrap();
    assert_eq!(accounts.enter(says("3", "x", &[Role::Viewer]), 11), Err(AccountError::Exists(taken)));
    let text = serde_json::to_string(&accounts).unwrap();
    assert_eq!(serde_json::from_str::<Accounts>(&text).unwrap(), accounts);
}
