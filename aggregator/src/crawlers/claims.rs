//! Who says that they are a crawler which the policy names.

use std::collections::HashMap;
use std::sync::Arc;

use throughline_session::wire::Record;

use super::Question;
use crate::policy::detection::CrawlerEntry;

/// What user agents claim, by application.
#[derive(Debug, Default)]
pub struct Claims(HashMap<String, Vec<Claim>>);

#[derive(Debug)]
struct Claim {
    /// In lower case.
    user_agent: String,
    domains: Arc<[String]>,
}

impl Claims {
    /// Sets the crawlers that an application's profile names.
    pub fn set(&mut self, application: &str, entries: &[CrawlerEntry]) {
        if entries.is_empty() {
            self.0.remove(application);
            return;
        }
        let claims = entries.iter().map(|entry| Claim {
            user_agent: entry.user_agent.to_ascii_lowercase(),
            domains: entry.domains().collect(),
        });
        self.0.insert(application.to_owned(), claims.collect());
    }

    /// What is to be asked about a record's client; `None` where it claims nothing.
    #[must_use]
    pub fn question(&self, record: &Record<'_>) -> Option<Question> {
        let claims = self.0.get(&*record.application)?;
        let user_agent = record.user_agent.as_deref()?.to_ascii_lowercase();
        let claim = claims
            .iter()
            .find(|it| user_agent.contains(&it.user_agent))?;
        Some(Question {
            address: record.client_ip.as_deref()?.parse().ok()?,
            domains: Arc::clone(&claim.domains),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_claims_it_is_asked_for() {
        let mut claims = Claims::default();
        let google = CrawlerEntry {
            name: "google".to_owned(),
            user_agent: "Googlebot".to_owned(),
            domains: vec!["GoogleBot.com".to_owned()],
        };
        claims.set("shop", std::slice::from_ref(&google));
        let record = |application: &str, user_agent: &str, ip: &str| -> Record<'static> {
            let session = "09".repeat(16);
            let line = format!(
                r#"{{"index":0,"start_us":1,"application":"{application}","key":"cookie","request_session":"{session}","session":"{session}","user_agent":"{user_agent}","client_ip":"{ip}"}}"#
            );
            serde_json::from_str(Box::leak(line.into_boxed_str())).unwrap()
        };
        let claimed = "Mozilla/5.0 (compatible; googlebot/2.1; +http://www.google.com/bot.html)";
        for (record, expected) in [
            (record("shop", claimed, "66.249.66.1"), true),
            (
                record("shop", "Mozilla/5.0 Chrome/145.0", "66.249.66.1"),
                false,
            ),
            (record("blog", claimed, "66.249.66.1"), false),
            (record("shop", claimed, "nowhere"), false),
        ] {
            let question = claims.question(&record);
            assert_eq!(question.is_some(), expected, "{record:?}");
            assert!(question.is_none_or(|it| *it.domains == ["googlebot.com".to_owned()]));
        }
        claims.set("shop", &[]);
        assert!(
            claims
                .question(&record("shop", claimed, "66.249.66.1"))
                .is_none()
        );
    }
}
