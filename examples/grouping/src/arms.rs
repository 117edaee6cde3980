//! What makes a session, arm by arm.

use crate::regroup::Regroup;

/// One way to group the same exchanges.
#[derive(Debug)]
pub struct Arm {
    /// In keys and files.
    pub name: &'static str,
    /// In tables: `A` to `E` in the order of the promise, controls by name.
    pub label: &'static str,
    /// What makes a session, in words.
    pub title: &'static str,
    /// The filter's policy, JSON.
    pub policy: &'static str,
    /// What is done to its records before detection sees them.
    pub regroup: Regroup,
    /// Must not help.
    pub control: bool,
}

const FITTED: &str = include_str!("../policies/fitted.json");
const BUILTIN: &str = include_str!("../policies/builtin.json");

/// All arms, in the order of the tables.
pub const ALL: &[Arm] = &[
    Arm {
        name: "ip",
        label: "A",
        title: "address",
        policy: include_str!("../policies/ip.json"),
        regroup: Regroup::Alone,
        control: false,
    },
    Arm {
        name: "ip_user_agent",
        label: "B",
        title: "address and user agent",
        policy: include_str!("../policies/ip_user_agent.json"),
        regroup: Regroup::Alone,
        control: false,
    },
    Arm {
        name: "builtin",
        label: "C",
        title: "built-in key rules",
        policy: BUILTIN,
        regroup: Regroup::Alone,
        control: false,
    },
    Arm {
        name: "builtin_links",
        label: "C+",
        title: "built-in key rules, with their links",
        policy: BUILTIN,
        regroup: Regroup::Related,
        control: false,
    },
    Arm {
        name: "fitted",
        label: "D",
        title: "fitted rules",
        policy: FITTED,
        regroup: Regroup::Alone,
        control: false,
    },
    Arm {
        name: "links",
        label: "E",
        title: "fitted rules, with links",
        policy: FITTED,
        regroup: Regroup::Related,
        control: false,
    },
    Arm {
        name: "over_merge",
        label: "over-merge",
        title: "tenant header",
        policy: include_str!("../policies/tenant.json"),
        regroup: Regroup::Alone,
        control: true,
    },
    Arm {
        name: "over_split",
        label: "over-split",
        title: "request id",
        policy: include_str!("../policies/request.json"),
        regroup: Regroup::Alone,
        control: true,
    },
    Arm {
        name: "placebo",
        label: "placebo",
        title: "D's sessions, clients shuffled",
        policy: FITTED,
        regroup: Regroup::Shuffled,
        control: true,
    },
];

/// Place of an arm in [`ALL`].
#[must_use]
pub fn place(name: &str) -> usize {
    ALL.iter()
        .position(|arm| arm.name == name)
        .unwrap_or(ALL.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_an_arms() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/policies");
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let used = ALL.iter().any(|arm| arm.policy == text);
            assert!(used, "{} is nobody's", path.display());
        }
    }

    #[test]
    fn arms_differ_by_name() {
        for (at, arm) in ALL.iter().enumerate() {
            assert_eq!(place(arm.name), at);
        }
    }
}
