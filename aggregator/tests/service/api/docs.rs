use http::StatusCode;

use crate::common::Setup;

#[tokio::test]
async fn the_page_is_served_with_all_it_needs_and_asks_nobody_else() {
    let (service, _folder) = Setup::default().temporary();
    let page = service.get("/docs").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self';"),
        "{policy}"
    );
    let mut files = 0;
    for reference in page
        .text
        .split(['"', '\''])
        .filter(|it| it.starts_with("/docs/"))
    {
        let file = service.get(reference).await;
        assert_eq!(file.status, StatusCode::OK, "{reference}");
        assert!(
            !file.header("content-type").starts_with("text/html"),
            "{reference}"
        );
        for elsewhere in [
            "http://",
            "https://",
            "//cdn",
            "@import",
            "innerHTML",
            " url(",
        ] {
            assert!(!file.text.contains(elsewhere), "{reference}: {elsewhere}");
        }
        files += 1;
    }
    assert_eq!(files, 2);
    assert!(!page.text.contains("http:") && !page.text.contains("https:"));
    assert_eq!(
        service.get("/docs/nothing.js").await.status,
        StatusCode::NOT_FOUND
    );
    service.close();
}
