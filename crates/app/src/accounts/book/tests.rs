//! Users and tokens as decisions make them.

use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * Timestamp::SECOND)
}

fn apply(book: &mut Book, second: i64, deed: Deed) {
    book.apply(&AuditRecord { time: at(second), who: "root".into(), role: Role::Admin, token: None, deed });
}

fn token(user: &str, role: Option<Role>, expires: Option<Timestamp>) -> NewToken {
    NewToken { user: user.into(), name: "laptop".into(), role, expires }
}

fn book() -> Book {
    let mut book = Book::default();
    let deed = book.add_user("anna", Role::Analyst, &[]).unwrap();
    apply(&mut book, 1, deed);
    book
}

fn role_of(book: &Book, secret: &str, second: i64) -> Option<Role> {
    book.holder(&SecretHash::of(secret), at(second)).map(|token| token.role)
}

#[test]
fn a_token_is_good_until_it_expires_or_is_revoked() {
    let mut book = book();
    let deed = book.create_token(&token("anna", None, Some(at(10))), "t-1", "one", at(2)).unwrap();
    apply(&mut book, 2, deed);
    let deed = book.create_token(&token("anna", Some(Role::Viewer), None), "t-2", "two", at(2)).unwrap();
    apply(&mut book, 2, deed);
    assert_eq!(role_of(&book, "one", 9), Some(Role::Analyst));
    assert_eq!(role_of(&book, "one", 10), None);
    assert_eq!(role_of(&book, "two", 10), Some(Role::Viewer));
    assert_eq!(role_of(&book, "three", 9), None);
    let deed = book.revoke_token("t-2").unwrap();
    apply(&mut book, 11, deed);
    assert_eq!(role_of(&book, "two", 12), None);
    assert_eq!(book.revoke_token("t-2"), Err(Refused::NoSuchToken("t-2".into())));
}

#[test]
fn tokens_go_with_their_user_and_do_not_come_back() {
    let mut book = book();
    let deed = book.create_token(&token("anna", None, None), "t-1", "one", at(2)).unwrap();
    apply(&mut book, 2, deed);
    let deed = book.remove_user("anna").unwrap();
    apply(&mut book, 3, deed);
    assert_eq!(role_of(&book, "one", 4), None);
    let deed = book.add_user("anna", Role::Admin, &[]).unwrap();
    apply(&mut book, 5, deed);
    assert_eq!(role_of(&book, "one", 6), None);
    assert_eq!(book.tokens().count(), 0);
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let book = book();
    assert_eq!(book.add_user("anna", Role::Viewer, &[]), Err(Refused::UserExists("anna".into())));
    assert_eq!(book.add_user("ci", Role::Viewer, &["ci"]), Err(Refused::UserExists("ci".into())));
    for name in ["", "-anna", "a b", "a/b", "ä", &"a".repeat(65)] {
        assert_eq!(book.add_user(name, Role::Viewer, &[]), Err(Refused::BadName(name.into())));
    }
    let refused = |new: NewToken| book.create_token(&new, "t-1", "one", at(5)).unwrap_err().to_string();
    assert!(refused(token("bert", None, None)).contains("there is no user `bert`"));
    assert!(refused(token("anna", Some(Role::Responder), None)).contains("who is analyst"));
    assert!(refused(token("anna", Some(Role::Sender), None)).contains("cannot have the role sender"));
    assert!(refused(token("anna", None, Some(at(5)))).contains("expired"));
}

proptest! {
    /// Whatever is decided in whatever order: no token may more than its user, and none is without a user.
    #[test]
    fn no_token_may_more_than_its_user(steps in proptest::collection::vec((0..4_u8, 0..3_usize, 0..5_usize), 0..60)) {
        let mut book = Book::default();
        let names = ["anna", "bert", "cleo"];
        for (second, (step, user, role)) in (0..).zip(steps) {
            let (user, role) = (names[user], Role::ALL[role]);
            let id = format!("t-{second}");
            let decided = match step {
                0 => book.add_user(user, role, &[]),
                1 => book.remove_user(user),
                2 => book.create_token(&token(user, Some(role), None), &id, &id, at(second)),
                _ => book.tokens().next().map(|token| token.token.clone()).map_or(
                    Err(Refused::NoSuchToken(String::new())), |token| book.revoke_token(&token)),
            };
            if let Ok(deed) = decided {
                apply(&mut book, second, deed);
            }
            for token in book.tokens() {
                prop_assert!(book.users[&token.user].role.may(token.role));
            }
        }
    }
}
