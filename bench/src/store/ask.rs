//! Questions asked over HTTP, and how long each answer took.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::ensure;
use demo::Http;

use super::questions::Question;
use super::service::Service;

/// How long an answer took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Took {
    /// By the clock, milliseconds.
    pub(crate) ms: f64,
    /// Processor time of the service meanwhile, milliseconds: of this answer, when nothing else is
    /// done.
    pub(crate) cpu_ms: f64,
}

/// How long each question's answers took, by its number.
pub(crate) type Times = BTreeMap<usize, Vec<Took>>;

/// Asks every question `rounds` times, `clients` at a time. One answer may take as long as it takes;
/// what is no answer ends the benchmark, but for questions that ran into the service's own deadline.
pub(crate) async fn ask(
    service: &Service,
    questions: &Arc<Vec<Question>>,
    rounds: u32,
    clients: u32,
) -> anyhow::Result<Times> {
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..clients {
        let (http, questions) = (service.http.clone(), Arc::clone(questions));
        let process = service.id();
        tasks.spawn(async move {
            let mut times = Times::new();
            for round in 0..rounds {
                // Clients share the rounds, and no two ask the same at once.
                if round % clients != client {
                    continue;
                }
                let count = questions.len();
                let offset = count * usize::try_from(client)? / usize::try_from(clients)?;
                for step in 0..count {
                    let number = (step + offset) % count;
                    if let Some(question) = questions.get(number) {
                        let took = one(&http, process, &question.path(round.into())).await?;
                        times.entry(number).or_default().push(took);
                    }
                }
            }
            anyhow::Ok(times)
        });
    }
    let mut all = Times::new();
    while let Some(times) = tasks.join_next().await {
        for (number, own) in times?? {
            all.entry(number).or_default().extend(own);
        }
    }
    Ok(all)
}

async fn one(http: &Http, process: Option<u32>, path: &str) -> anyhow::Result<Took> {
    let before_ms = cpu_ms(process);
    let began = Instant::now();
    let (status, body) = http.get(path).await?;
    let ms = began.elapsed().as_secs_f64() * 1000.0;
    ensure!(
        status == 200 || status == 503,
        "{path} answered {status}: {}",
        String::from_utf8_lossy(&body)
    );
    Ok(Took {
        ms,
        cpu_ms: cpu_ms(process) - before_ms,
    })
}

/// Processor time of a process so far, in steps of 10 ms.
fn cpu_ms(process: Option<u32>) -> f64 {
    let file = process.map(|id| format!("/proc/{id}/stat"));
    let text = file.and_then(|file| std::fs::read_to_string(file).ok());
    // Behind the name, which stands in parentheses: user and system time are the 12th and 13th.
    let times = text.as_deref().and_then(|text| text.rsplit_once(')'));
    let ticks = times.map_or(0.0, |(_, rest)| {
        let numbers = rest.split_whitespace().skip(11).take(2);
        numbers.filter_map(|it| it.parse::<f64>().ok()).sum::<f64>()
    });
    ticks * 10.0
}

/// The figure that 95 % of the others do not exceed.
pub(crate) fn p95(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * 95).div_ceil(100);
    sorted
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::p95;

    #[test]
    fn takes_the_nineteenth_of_twenty() {
        let twenty: Vec<f64> = (1..=20).rev().map(f64::from).collect();
        assert!((p95(&twenty) - 19.0).abs() < f64::EPSILON);
        assert!((p95(&[4.0]) - 4.0).abs() < f64::EPSILON);
        assert!(p95(&[]).is_nan());
    }
}
