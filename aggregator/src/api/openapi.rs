//! `GET /openapi.json`: the description of all this, made from the handlers themselves.

use std::sync::Arc;

use serde::Serialize;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use super::App;
use super::describe::Common;
use super::error::ApiError;
use super::request::{Access, Call, call, json, respond};

/// The answer to a batch: its records are on disk. Describes `Reply` of the session crate.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Acknowledgement {
    /// The batch's sequence; absent for a heartbeat.
    acknowledged: Option<u64>,
    /// The batch had been acknowledged before; nothing was stored twice.
    duplicate: bool,
    /// What `GET /v1/policy/live` answers now; absent while nothing was ever set there.
    live_version: Option<String>,
}

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        for (name, about) in [
            (
                "ingest_token",
                "A token with the role ingest (`throughline token create`), or the value of \
                 THROUGHLINE_INGEST_TOKEN",
            ),
            (
                "read_token",
                "A token with the role read or admin, or the value of THROUGHLINE_READ_TOKEN; with \
                 `--app` it sees only these. `serve --development` needs none",
            ),
            (
                "admin_token",
                "A token with the role admin, or the value of THROUGHLINE_ADMIN_TOKEN",
            ),
        ] {
            let bearer = HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some(about));
            components.add_security_scheme(name, SecurityScheme::Http(bearer.build()));
        }
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Throughline",
        description = "API sessions and bot detection for Envoy: what one user did, in what order.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    modifiers(&Tokens, &Common),
    components(schemas(super::Problem)),
    paths(
        super::ingest::handle,
        super::import::handle,
        super::sessions::handle,
        super::facets::handle,
        super::histogram::handle,
        super::session::handle,
        super::sequence::handle,
        super::compare::handle,
        super::requests::handle,
        super::quarantine::handle,
        super::endpoints::handle,
        super::applications::list,
        super::applications::show,
        super::applications::put,
        super::applications::delete,
        super::transitions::handle,
        super::flows::list,
        super::flows::show,
        super::sources::list,
        super::sources::show,
        super::users::list,
        super::users::show,
        super::bots::handle,
        super::verdicts::handle,
        super::evidence::handle,
        super::labels::put,
        super::labels::delete,
        super::labels::export,
        super::live::handle,
        super::export::handle,
        super::pins::put,
        super::pins::delete,
        super::pins::list,
        super::notes::put,
        super::notes::delete,
        super::views::list,
        super::views::show,
        super::views::put,
        super::views::delete,
        super::forget::session,
        super::forget::user,
        super::forget::list,
        super::sql::handle,
        super::policy::show,
        super::policy::put,
        super::policy::versions,
        super::policy::version,
        super::policy::diff,
        super::policy::roll_back,
        super::policy::live,
        super::candidates::list,
        super::candidates::put,
        super::candidates::delete,
        super::comparison::handle,
        super::candidate_verdicts::handle,
        super::backtest::handle,
        super::finder::show,
        super::finder::start,
        super::finder::stop,
        super::audit::handle,
        super::backup::handle,
        super::status::handle,
        super::health::handle_healthz,
        super::health::handle_readyz,
        super::metrics::handle,
    ),
    tags(
        (name = "sessions", description = "What users did"),
        (name = "endpoints", description = "What is asked for, and how that goes"),
        (name = "sources", description = "Where requests come from"),
        (name = "users", description = "Who was there"),
        (name = "verdicts", description = "Who is a bot, why, and what people say of it"),
        (name = "live", description = "What happens, as it comes"),
        (name = "views", description = "Pages with their filter, under a name that all share"),
        (name = "sql", description = "Whatever else there is to ask"),
        (name = "policy", description = "What a session is: versions, candidates, key finder"),
        (name = "service", description = "How the service is doing, and what is missing"),
        (name = "ingest", description = "For the filter"),
    ),
)]
struct Document;

/// The OpenAPI 3.1 document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

pub(super) fn route(app: &Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("openapi.json")
        .and(call(app, Access::Open))
        .then(|call: Call| async move { respond(handle(&call)) })
        .boxed()
}

fn handle(call: &Call) -> Result<Response, ApiError> {
    call.params(&[])?;
    json(&document())
}
