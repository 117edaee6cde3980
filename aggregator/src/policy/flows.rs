//! policy → flows: what people come to do, as steps by endpoint.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::Refused;
use crate::config::units;

/// Flows of one policy.
const FLOWS_MAX: usize = 50;
/// Steps of one flow.
const STEPS_MAX: usize = 12;
/// Endpoints that stand for one step.
const ENDPOINTS_MAX: usize = 16;

/// What people come to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Names it: lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// In which application; absent: in all.
    #[serde(default)]
    pub application: Option<String>,
    /// From the first step to the last, at most, e.g. `30m`, which it is when absent.
    #[serde(default = "half_an_hour")]
    pub within: String,
    /// In order.
    pub steps: Vec<Step>,
}

/// A step: a request to one of some endpoints that was answered with success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What people call it; absent: its first endpoint.
    #[serde(default)]
    pub name: Option<String>,
    /// An endpoint such as `POST /login`, or several.
    pub endpoint: OneOrMore,
}

/// One text, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMore {
    /// One.
    One(String),
    /// Any of these.
    More(Vec<String>),
}

fn half_an_hour() -> String {
    "30m".into()
}

impl Step {
    /// Its endpoints.
    #[must_use]
    pub fn endpoints(&self) -> &[String] {
        match &self.endpoint {
            OneOrMore::One(one) => std::slice::from_ref(one),
            OneOrMore::More(more) => more,
        }
    }

    /// What to call it.
    #[must_use]
    pub fn shown(&self) -> &str {
        let first = || self.endpoints().first().map(String::as_str);
        self.name.as_deref().or_else(first).unwrap_or_default()
    }
}

impl Flow {
    /// From the first step to the last, microseconds.
    #[must_use]
    pub fn within_us(&self) -> i64 {
        units::duration(&self.within).map_or(0, units::micros)
    }

    fn check(&self, place: &str, applications: &[&str]) -> Result<(), Refused> {
        let refuse = |at: &str, problem: String| {
            Err(Refused {
                place: format!("{place}{at}"),
                problem,
            })
        };
        let letter = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-_".contains(&it);
        if !(1..=64).contains(&self.name.len()) || !self.name.bytes().all(letter) {
            let problem = "a name has 1 to 64 lower-case letters, digits, `-` and `_`";
            return refuse(".name", problem.into());
        }
        if let Some(name) = self.application.as_deref()
            && name != "default"
            && !applications.contains(&name)
        {
            let problem = format!("there is no application `{name}`: define it under applications");
            return refuse(".application", problem);
        }
        if let Err(problem) = units::duration(&self.within) {
            return refuse(".within", problem);
        }
        if !(2..=STEPS_MAX).contains(&self.steps.len()) {
            let steps = self.steps.len();
            let problem = format!("{steps} steps; a flow has 2 to {STEPS_MAX}");
            return refuse(".steps", problem);
        }
        for (index, step) in self.steps.iter().enumerate() {
            let endpoints = step.endpoints();
            let at = format!(".steps[{index}].endpoint");
            if !(1..=ENDPOINTS_MAX).contains(&endpoints.len()) {
                let problem = format!("give 1 to {ENDPOINTS_MAX} endpoints");
                return refuse(&at, problem);
            }
            let named = |it: &&String| {
                let parts = it.split_once(' ');
                parts.is_some_and(|(method, path)| {
                    method.bytes().all(|it| it.is_ascii_uppercase()) && path.starts_with('/')
                })
            };
            if let Some(wrong) = endpoints.iter().find(|it| !named(it)) {
                let problem = format!(
                    "`{wrong}` is no endpoint: give method and template, such as `POST /login` or \
                     `GET /orders/{{id}}`, as /v1/endpoints lists them"
                );
                return refuse(&at, problem);
            }
        }
        Ok(())
    }
}

/// The flows of a policy, checked; `applications` are those it defines.
pub(super) fn check(policy: &Value, applications: &[&str]) -> Result<Vec<Flow>, Refused> {
    let Some(value) = policy.get("flows").filter(|it| !it.is_null()) else {
        return Ok(Vec::new());
    };
    let flows: Vec<Flow> = serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let inner = if path == "." { String::new() } else { path };
        Refused {
            place: format!("flows{inner}"),
            problem: error.into_inner().to_string(),
        }
    })?;
    if flows.len() > FLOWS_MAX {
        let problem = format!("{} flows; the limit is {FLOWS_MAX}", flows.len());
        let place = "flows".to_owned();
        return Err(Refused { place, problem });
    }
    for (index, flow) in flows.iter().enumerate() {
        let place = format!("flows[{index}]");
        flow.check(&place, applications)?;
        if flows
            .iter()
            .take(index)
            .any(|other| other.name == flow.name)
        {
            return Err(Refused {
                place: format!("{place}.name"),
                problem: format!("the name `{}` is taken", flow.name),
            });
        }
    }
    Ok(flows)
}

/// The flows of a policy that was checked.
#[must_use]
pub fn flows(policy: &Value) -> Vec<Flow> {
    let value = policy.get("flows").cloned().unwrap_or_default();
    serde_json::from_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_the_place_and_the_remedy() {
        let steps =
            json!([{"endpoint": "POST /cart"}, {"endpoint": ["POST /pay", "POST /v2/pay"]}]);
        for (flow, expected) in [
            (json!({"name": "buy", "steps": steps}), ""),
            (
                json!({"name": "buy", "application": "default", "steps": steps}),
                "",
            ),
            (
                json!({"name": "buy", "application": "shop", "steps": steps}),
                "flows[0].application: there is no application `shop`",
            ),
            (
                json!({"name": "Buy", "steps": steps}),
                "flows[0].name: a name has",
            ),
            (
                json!({"name": "buy", "steps": [steps[0]]}),
                "flows[0].steps: 1 steps; a flow has 2",
            ),
            (
                json!({"name": "buy", "within": "soon", "steps": steps}),
                "flows[0].within: expected a duration",
            ),
            (
                json!({"name": "buy", "steps": [steps[0], {"endpoint": "/pay"}]}),
                "flows[0].steps[1].endpoint: `/pay` is no endpoint",
            ),
            (json!({"name": "buy", "step": []}), "unknown field `step`"),
        ] {
            let policy = json!({"flows": [flow]});
            let said =
                check(&policy, &[]).map_or_else(|refused| refused.to_string(), |_| String::new());
            let good = said.contains(expected) && said.is_empty() == expected.is_empty();
            assert!(good, "{flow}: {said}");
        }
        let twice =
            json!({"flows": [{"name": "a", "steps": steps}, {"name": "a", "steps": steps}]});
        assert_eq!(check(&twice, &[]).unwrap_err().place, "flows[1].name");
    }
}
