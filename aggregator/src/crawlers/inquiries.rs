//! What is to be asked, each question once in a while.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{Answer, Question};
use crate::metrics::Metrics;

/// Questions that wait.
const WAITING_MAX: usize = 1024;
/// Questions that are remembered with what came of them; the oldest go first.
const ASKED_MAX: usize = 8192;

/// When a question is asked again.
fn pause(answer: &Answer) -> Duration {
    const MINUTE: u64 = 60;
    Duration::from_secs(match answer {
        // Before the day is over for which it holds.
        Answer::Confirmed(_) => 12 * 60 * MINUTE,
        Answer::Refuted => 60 * MINUTE,
        Answer::Silent => 5 * MINUTE,
    })
}

/// The queue of questions, and what is known already.
#[derive(Debug)]
pub struct Inquiries {
    waiting: Sender<Question>,
    asked: Mutex<Asked>,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct Asked {
    /// Until when each is not asked again.
    until: HashMap<Question, Instant>,
    order: VecDeque<Question>,
}

impl Asked {
    fn is_due(&self, question: &Question, now: Instant) -> bool {
        self.until.get(question).is_none_or(|until| *until <= now)
    }

    fn set(&mut self, question: &Question, until: Instant) {
        if self.until.insert(question.clone(), until).is_none() {
            self.order.push_back(question.clone());
        }
        while self.order.len() > ASKED_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.until.remove(&oldest);
            }
        }
    }
}

impl Inquiries {
    /// An empty queue, and where it is read.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> (Arc<Self>, Receiver<Question>) {
        let (waiting, questions) = channel(WAITING_MAX);
        let inquiries = Self {
            waiting,
            asked: Mutex::default(),
            metrics,
        };
        (Arc::new(inquiries), questions)
    }

    /// Puts a question, unless it was asked lately. Where too many wait it is left out, and counted;
    /// the client's next request puts it again.
    pub fn ask(&self, question: &Question) {
        let now = Instant::now();
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if !asked.is_due(question, now) {
            return;
        }
        match self.waiting.try_send(question.clone()) {
            Ok(()) => asked.set(question, now + pause(&Answer::Silent)),
            Err(_) => self.metrics.lookup("left_out"),
        }
    }

    /// Remembers what came of a question.
    pub(super) fn settle(&self, question: &Question, answer: &Answer) {
        self.metrics.lookup(answer.name());
        let until = Instant::now() + pause(answer);
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.set(question, until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(number: u8) -> Question {
        Question {
            address: [203, 0, 113, number].into(),
            domains: Arc::new(["googlebot.com".to_owned()]),
        }
    }

    #[test]
    fn a_question_is_put_once_and_again_after_a_while() {
        let (inquiries, mut questions) = Inquiries::new(Arc::default());
        inquiries.ask(&question(1));
        inquiries.ask(&question(1));
        inquiries.ask(&question(2));
        assert_eq!(questions.try_recv().unwrap(), question(1));
        assert_eq!(questions.try_recv().unwrap(), question(2));
        assert!(questions.try_recv().is_err());
        inquiries.settle(&question(1), &Answer::Refuted);
        let asked = inquiries.asked.lock().unwrap();
        let in_minutes = |minutes: u64| Instant::now() + Duration::from_secs(minutes * 60);
        assert!(!asked.is_due(&question(1), in_minutes(59)));
        assert!(asked.is_due(&question(1), in_minutes(61)));
        assert!(asked.is_due(&question(2), in_minutes(6)));
    }

    #[test]
    fn neither_the_queue_nor_the_memory_grows_without_end() {
        let (inquiries, mut questions) = Inquiries::new(Arc::default());
        let many = |number: u32| Question {
            address: std::net::Ipv4Addr::from(number).into(),
            domains: Arc::new(["googlebot.com".to_owned()]),
        };
        for number in 0..2000 {
            inquiries.ask(&many(number));
        }
        let text = inquiries.metrics.text();
        let left_out = r#"crawler_lookups_total{outcome="left_out"} 976"#;
        assert!(text.contains(left_out), "{text}");
        for number in 0..20_000 {
            drop(questions.try_recv());
            inquiries.ask(&many(number));
        }
        let asked = inquiries.asked.lock().unwrap();
        assert_eq!(
            (asked.until.len(), asked.order.len()),
            (ASKED_MAX, ASKED_MAX)
        );
    }
}
