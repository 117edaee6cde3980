use serde_json::Value;

use crate::common::{Batch, START_US, Setup, line};

#[tokio::test]
async fn bad_lines_are_kept_apart_and_the_good_ones_stored() {
    let (service, _folder) = Setup::default().temporary();
    let mut wrong_index = line(1, 0);
    wrong_index["index"] = 9.into();
    let mut from_the_future = line(1, 0);
    from_the_future["start_us"] = (START_US + 2 * 86_400_000_000_i64).into();
    from_the_future["index"] = 3.into();
    let batch = Batch::new(4)
        .record(line(1, 0))
        .raw(b"not json")
        .raw(wrong_index.to_string().as_bytes())
        .raw(from_the_future.to_string().as_bytes())
        .raw(b"{\"index\":\xff}")
        .raw(format!("\"{}\"", "long ".repeat(2000)).as_bytes())
        .record(line(2, 0))
        .seen(7);
    service.send(batch).await;
    service.stored().await;
    assert_eq!(service.sql::<i64>("SELECT count(*) FROM records"), 2);
    let first = service.get("/v1/quarantine?limit=3").await.json();
    let path = format!("/v1/quarantine?cursor={}", first["next"].as_str().unwrap());
    let rest = service.get(&path).await.json();
    assert_eq!(rest["next"], Value::Null);
    let items = [&first["items"], &rest["items"]].map(|items| items.as_array().unwrap().clone());
    let mut items = items.concat();
    for item in &mut items {
        let kept = item["line"].as_str().unwrap();
        assert!(kept.len() <= 4096);
        item["line"] = kept.chars().take(20).collect::<String>().into();
    }
    insta::assert_json_snapshot!(items);
    let status = service.get("/v1/status").await.json();
    let totals = &status["totals"];
    assert_eq!(
        (&totals["stored"], &totals["quarantined"]),
        (&2.into(), &5.into())
    );
    assert_eq!(
        (&totals["pending"], &totals["balanced"]),
        (&0.into(), &true.into())
    );
    service.close();
}
