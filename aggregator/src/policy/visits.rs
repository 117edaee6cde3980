//! policy → visits: when a visit ends, by default and for single applications.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::document::Refused;
use crate::config::units;
use crate::sessions::{VisitRule, VisitRules};

/// Applications with rules of their own, in one policy.
const APPLICATIONS_MAX: usize = 1_000;
/// What the flags say where nobody changed them.
const IDLE: &str = "30m";
const LONGEST: &str = "1d";
/// Shorter pauses would end visits between the requests of one page.
const LEAST: (&str, i64) = ("1s", 1_000_000);
/// As long as a visit may last it stays in memory for late records.
const MOST: (&str, i64) = ("31d", 31 * 86_400_000_000);

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Document {
    idle: Option<String>,
    longest: Option<String>,
    applications: BTreeMap<String, Single>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Single {
    idle: Option<String>,
    longest: Option<String>,
}

/// One field of one rule, and where it stands.
fn time(place: &str, text: Option<&String>) -> Result<Option<i64>, Refused> {
    let Some(text) = text else { return Ok(None) };
    let refuse = |problem| Refused {
        place: place.to_owned(),
        problem,
    };
    let time_us = units::micros(units::duration(text).map_err(refuse)?);
    if !(LEAST.1..=MOST.1).contains(&time_us) {
        let problem = format!("`{text}` is not within {} and {}", LEAST.0, MOST.0);
        return Err(refuse(problem));
    }
    Ok(Some(time_us))
}

/// A rule, of which `base` says what it does not say itself: the fields as people would write them.
fn rule(place: &str, own: &Single, base: [&str; 2]) -> Result<VisitRule, Refused> {
    let rule = VisitRule {
        idle_us: time(&format!("{place}.idle"), own.idle.as_ref())?,
        longest_us: time(&format!("{place}.longest"), own.longest.as_ref())?,
    };
    let [idle, longest] = shown(own, base);
    let micros = |text| units::duration(text).map_or(0, units::micros);
    if micros(longest) < micros(idle) {
        let from = |own: Option<&String>| {
            if own.is_some() {
                ""
            } else {
                " (which holds here)"
            }
        };
        return Err(Refused {
            place: format!("{place}.longest"),
            problem: format!(
                "{longest}{} is shorter than `idle`, {idle}{}: no visit could have such a pause; \
                 make `longest` at least as long",
                from(own.longest.as_ref()),
                from(own.idle.as_ref()),
            ),
        });
    }
    Ok(rule)
}

fn shown<'a>(own: &'a Single, [idle, longest]: [&'a str; 2]) -> [&'a str; 2] {
    let own_or = |own: &'a Option<String>, base| own.as_deref().unwrap_or(base);
    [own_or(&own.idle, idle), own_or(&own.longest, longest)]
}

/// The visit rules of a policy, checked; `applications` are those it defines.
pub(super) fn check(policy: &Value, applications: &[&str]) -> Result<VisitRules, Refused> {
    let Some(value) = policy.get("visits").filter(|it| !it.is_null()) else {
        return Ok(VisitRules::default());
    };
    let document: Document = serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let inner = if path == "." {
            String::new()
        } else {
            format!(".{path}")
        };
        Refused {
            place: format!("visits{inner}"),
            problem: error.into_inner().to_string(),
        }
    })?;
    let all = Single {
        idle: document.idle,
        longest: document.longest,
    };
    let others = rule("visits", &all, [IDLE, LONGEST])?;
    let base = shown(&all, [IDLE, LONGEST]);
    let count = document.applications.len();
    if count > APPLICATIONS_MAX {
        return Err(Refused {
            place: "visits.applications".into(),
            problem: format!("{count} applications; the limit is {APPLICATIONS_MAX}"),
        });
    }
    let single = |(name, own): (&String, &Single)| {
        let place = format!("visits.applications.{name}");
        if name != "default" && !applications.contains(&name.as_str()) {
            let problem = format!("there is no application `{name}`: define it under applications");
            return Err(Refused { place, problem });
        }
        Ok((name.clone(), rule(&place, own, base)?))
    };
    Ok(VisitRules {
        others,
        applications: document
            .applications
            .iter()
            .map(single)
            .collect::<Result<_, _>>()?,
    })
}

/// The visit rules of a policy that was checked.
#[must_use]
pub fn rules(policy: &Value) -> VisitRules {
    let applications = policy.get("applications").and_then(Value::as_array);
    let named = applications.into_iter().flatten();
    let names: Vec<_> = named.filter_map(|it| it.get("name")?.as_str()).collect();
    check(policy, &names).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_times_for_all_and_for_single_applications() {
        let policy = json!({
            "applications": [{"name": "shop"}],
            "visits": {
                "idle": "20m",
                "applications": {"shop": {"longest": "12h"}, "default": {"idle": "1m30s"}},
            },
        });
        let rules = rules(&policy);
        let minutes = |minutes: i64| Some(minutes * 60_000_000);
        let rule = |idle_us, longest_us| VisitRule {
            idle_us,
            longest_us,
        };
        assert_eq!(rules.others, rule(minutes(20), None));
        assert_eq!(rules.applications["shop"], rule(None, minutes(720)));
        assert_eq!(rules.applications["default"], rule(Some(90_000_000), None));
        assert!(super::rules(&json!({})).is_empty());
        assert!(super::rules(&json!({"visits": null})).is_empty());
    }

    #[test]
    fn names_the_place_and_the_remedy() {
        for (visits, expected) in [
            (json!({}), ""),
            (json!({"idle": "1s", "longest": "1s"}), ""),
            (json!({"longest": "31d"}), ""),
            (
                json!({"idle": "30"}),
                "visits.idle: expected a duration above 0 with its unit",
            ),
            (
                json!({"idle": 30}),
                "visits.idle: invalid type: integer `30`, expected a string",
            ),
            (
                json!({"idle": "500ms"}),
                "visits.idle: `500ms` is not within 1s and 31d",
            ),
            (
                json!({"longest": "32d"}),
                "visits.longest: `32d` is not within 1s and 31d",
            ),
            (
                json!({"idle": "2h", "longest": "1h"}),
                "visits.longest: 1h is shorter than `idle`, 2h: no visit",
            ),
            (
                json!({"idle": "2d"}),
                "visits.longest: 1d (which holds here) is shorter than `idle`, 2d: no visit",
            ),
            (
                json!({"longest": "10m"}),
                "visits.longest: 10m is shorter than `idle`, 30m (which holds here): no visit",
            ),
            (
                json!({"idle": "5m", "applications": {"default": {"longest": "1m"}}}),
                "visits.applications.default.longest: 1m is shorter than `idle`, 5m (which holds",
            ),
            (
                json!({"applications": {"shop": {"idle": "0s"}}}),
                "visits.applications.shop: there is no application `shop`: define it under",
            ),
            (
                json!({"applications": {"default": {"idle": "0s"}}}),
                "visits.applications.default.idle: expected a duration above 0",
            ),
            (
                json!({"pause": "1m"}),
                "visits.pause: unknown field `pause`, expected one of `idle`, `longest`, `applications`",
            ),
            (
                json!({"applications": {"default": {"idel": "1m"}}}),
                "visits.applications.default.idel: unknown field `idel`",
            ),
            (json!("30m"), "visits: invalid type: string \"30m\""),
        ] {
            let said = check(&json!({"visits": visits}), &[])
                .map_or_else(|refused| refused.to_string(), |_| String::new());
            let good = said.contains(expected) && said.is_empty() == expected.is_empty();
            assert!(good, "{visits}: {said}");
        }
    }
}
