//! Rows become Arrow columns, which DuckDB takes in many times faster than rows.

use std::fmt::Write as _;
use std::sync::Arc;

use duckdb::arrow::array::{
    ArrayBuilder, ArrayRef, BinaryBuilder, BooleanBuilder, ListBuilder, StringBuilder,
    StructBuilder, TimestampMicrosecondBuilder, UInt16Builder, UInt32Builder, UInt64Builder,
};
use duckdb::arrow::datatypes::{DataType, Field, Fields, Schema};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;
use throughline_session::wire::{
    BatchHeader, Link, Param, ParameterKind, Record, RecordId, SessionId, Trial, flag_letters,
};

use crate::sessions::{LinkKey, LinkPart, Part, VisitKey, link_kind, parameter_kind};

/// What a record's batch adds to its row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) position: u64,
    pub(super) header: &'a BatchHeader<'a>,
    pub(super) id: RecordId,
    pub(super) visit_start_us: i64,
    pub(super) endpoint: &'a str,
}

/// Places kept of one exchange: what the filter sends at most.
const PLACES_MAX: usize = 64;

type Texts = ListBuilder<StringBuilder>;

/// One builder per column of `records`, in the table's order.
macro_rules! columns {
    ($name:ident { $($column:ident: $builder:ty = $new:expr),+ $(,)? }) => {
        pub(super) struct $name {
            $($column: $builder,)+
            /// What the builders held when it was asked for: nothing is pushed after that.
            done: Option<RecordBatch>,
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($column: $new,)+ done: None }
            }
        }

        impl $name {
            /// Number of rows.
            pub(super) fn rows(&self) -> usize {
                let building = self.position.len();
                self.done.as_ref().map_or(building, RecordBatch::num_rows)
            }

            /// The columns, without a copy; a failed commit asks again, and gets the same.
            pub(super) fn batch(&mut self) -> Result<RecordBatch, ArrowError> {
                if let Some(done) = &self.done {
                    return Ok(done.clone());
                }
                let mut fields = Vec::new();
                let mut arrays: Vec<ArrayRef> = Vec::new();
                $(
                    let array: ArrayRef = Arc::new(self.$column.finish());
                    fields.push(Field::new(stringify!($column), array.data_type().clone(), true));
                    arrays.push(array);
                )+
                let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
                self.done = Some(batch.clone());
                Ok(batch)
            }
        }
    };
}

type Structs = ListBuilder<StructBuilder>;

/// A list of structs with these fields.
fn structs<const N: usize>(fields: [(&str, DataType); N]) -> Structs {
    let fields = fields.map(|(name, kind)| Field::new(name, kind, true));
    ListBuilder::new(StructBuilder::from_fields(Fields::from(fields.to_vec()), 0))
}

/// A list of structs whose fields are all text.
fn text_structs<const N: usize>(names: [&str; N]) -> Structs {
    structs(names.map(|name| (name, DataType::Utf8)))
}

/// A list of links.
fn link_structs() -> Structs {
    structs([
        ("kind", DataType::Utf8),
        ("session", DataType::Binary),
        ("key", DataType::Utf8),
    ])
}

fn append_links(list: &mut Structs, links: &[Link<'_>]) {
    for link in links {
        let row = list.values();
        set_text(row, 0, link_kind(link.kind));
        if let Some(sessions) = row.field_builder::<BinaryBuilder>(1) {
            sessions.append_value(link.session.0);
        }
        set_text(row, 2, &link.key);
        row.append(true);
    }
    list.append(true);
}

/// Fills the text field `column` of the struct that is being made.
fn set_text(pair: &mut StructBuilder, column: usize, text: &str) {
    if let Some(texts) = pair.field_builder::<StringBuilder>(column) {
        texts.append_value(text);
    }
}

columns!(Records {
    position: UInt64Builder = UInt64Builder::new(),
    boot: UInt64Builder = UInt64Builder::new(),
    worker: UInt32Builder = UInt32Builder::new(),
    sequence: UInt64Builder = UInt64Builder::new(),
    idx: UInt32Builder = UInt32Builder::new(),
    start: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
    session: BinaryBuilder = BinaryBuilder::new(),
    request_session: BinaryBuilder = BinaryBuilder::new(),
    visit_start: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
    application: StringBuilder = StringBuilder::new(),
    key: StringBuilder = StringBuilder::new(),
    capture_point: StringBuilder = StringBuilder::new(),
    policy_version: StringBuilder = StringBuilder::new(),
    node: StringBuilder = StringBuilder::new(),
    request_id: StringBuilder = StringBuilder::new(),
    trace_id: StringBuilder = StringBuilder::new(),
    method: StringBuilder = StringBuilder::new(),
    scheme: StringBuilder = StringBuilder::new(),
    host: StringBuilder = StringBuilder::new(),
    path: StringBuilder = StringBuilder::new(),
    query_names: Texts = ListBuilder::new(StringBuilder::new()),
    query_values: Structs = text_structs(["name", "value"]),
    query_hash: UInt64Builder = UInt64Builder::new(),
    protocol: StringBuilder = StringBuilder::new(),
    status: UInt16Builder = UInt16Builder::new(),
    flags: StringBuilder = StringBuilder::new(),
    request_bytes: UInt64Builder = UInt64Builder::new(),
    response_bytes: UInt64Builder = UInt64Builder::new(),
    duration_us: UInt64Builder = UInt64Builder::new(),
    upstream_us: UInt64Builder = UInt64Builder::new(),
    client_ip: StringBuilder = StringBuilder::new(),
    user_agent: StringBuilder = StringBuilder::new(),
    referer_host: StringBuilder = StringBuilder::new(),
    content_type: StringBuilder = StringBuilder::new(),
    truncated: Texts = ListBuilder::new(StringBuilder::new()),
    links: Structs = link_structs(),
    params: StringBuilder = StringBuilder::new(),
    extract_failed: Structs = text_structs(["name", "why"]),
    header_shape: UInt64Builder = UInt64Builder::new(),
    header_marks: UInt32Builder = UInt32Builder::new(),
    endpoint: StringBuilder = StringBuilder::new(),
});

/// An array of arrays: name, value, kind unless it is `plain`, and a fourth text if it is forgeable.
fn append_params(column: &mut StringBuilder, params: &[Param<'_>]) {
    // It ends the one before, too.
    let mut begin = "[[";
    for param in params {
        append_json(column, begin, &param.name);
        append_json(column, ",", &param.value);
        if param.forgeable || param.kind != ParameterKind::Plain {
            append_json(column, ",", parameter_kind(param.kind));
        }
        if param.forgeable {
            append_json(column, ",", "forgeable");
        }
        begin = "],[";
    }
    column.append_value(if params.is_empty() { "[]" } else { "]]" });
}

/// `before` and `text` in JSON, to the value that is being made.
fn append_json(column: &mut StringBuilder, before: &str, text: &str) {
    let is_plain = |byte| byte >= b' ' && byte != b'"' && byte != b'\\';
    let appended = if text.bytes().all(is_plain) {
        write!(column, "{before}\"{text}\"")
    } else {
        let text = serde_json::to_string(text).unwrap_or_default();
        write!(column, "{before}{text}")
    };
    appended.unwrap_or_default();
}

fn append_texts<T: AsRef<str>>(list: &mut Texts, texts: impl IntoIterator<Item = T>) {
    for text in texts {
        list.values().append_value(text);
    }
    list.append(true);
}

impl Records {
    pub(super) fn push(&mut self, record: &Record<'_>, context: &Context<'_>) {
        self.push_context(record, context);
        self.push_request(record);
        self.protocol.append_option(record.protocol.as_deref());
        self.status.append_option(record.status);
        self.flags.append_value(flag_letters(record.flags));
        self.request_bytes.append_value(record.request_bytes);
        self.response_bytes.append_value(record.response_bytes);
        self.duration_us.append_value(record.duration_us);
        self.upstream_us.append_option(record.upstream_us);
        self.client_ip.append_option(record.client_ip.as_deref());
        self.user_agent.append_option(record.user_agent.as_deref());
        self.referer_host
            .append_option(record.referer_host.as_deref());
        self.content_type
            .append_option(record.content_type.as_deref());
        append_texts(&mut self.truncated, &record.truncated);
        self.push_identity(record);
        let shape = record.header_shape.map(|it| u64::from_be_bytes(it.0));
        self.header_shape.append_option(shape);
        self.header_marks.append_option(record.header_marks);
        self.endpoint.append_value(context.endpoint);
    }

    fn push_identity(&mut self, record: &Record<'_>) {
        append_links(&mut self.links, &record.links);
        append_params(&mut self.params, &record.params);
        for (name, why) in &record.extract_failed {
            let row = self.extract_failed.values();
            set_text(row, 0, name);
            set_text(row, 1, why);
            row.append(true);
        }
        self.extract_failed.append(true);
    }

    fn push_context(&mut self, record: &Record<'_>, context: &Context<'_>) {
        self.position.append_value(context.position);
        self.boot
            .append_value(u64::from_be_bytes(context.id.boot.0));
        self.worker.append_value(context.id.worker);
        self.sequence.append_value(context.id.sequence);
        self.idx.append_value(context.id.index);
        self.start.append_value(record.start_us);
        self.session.append_value(record.session.0);
        self.request_session.append_value(record.request_session.0);
        self.visit_start.append_value(context.visit_start_us);
        self.application.append_value(&record.application);
        self.key.append_value(&record.key);
        self.capture_point
            .append_value(&context.header.capture_point);
        self.policy_version
            .append_value(&context.header.policy_version);
        self.node.append_value(&context.header.node);
    }

    fn push_request(&mut self, record: &Record<'_>) {
        self.request_id.append_option(record.request_id.as_deref());
        self.trace_id.append_option(record.trace_id.as_deref());
        self.method.append_option(record.method.as_deref());
        self.scheme.append_option(record.scheme.as_deref());
        self.host.append_option(record.host.as_deref());
        self.path.append_option(record.path.as_deref());
        append_texts(&mut self.query_names, &record.query_names);
        for (name, value) in &record.query_values {
            let pair = self.query_values.values();
            set_text(pair, 0, name);
            set_text(pair, 1, value);
            pair.append(true);
        }
        self.query_values.append(true);
        self.query_hash
            .append_option(record.query_hash.map(|hash| u64::from_be_bytes(hash.0)));
    }
}

columns!(VisitParts {
    position: UInt64Builder = UInt64Builder::new(),
    session: BinaryBuilder = BinaryBuilder::new(),
    visit_start: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
    application: StringBuilder = StringBuilder::new(),
    key: StringBuilder = StringBuilder::new(),
    first: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
    last: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
    requests: UInt64Builder = UInt64Builder::new(),
    errors_4xx: UInt64Builder = UInt64Builder::new(),
    errors_5xx: UInt64Builder = UInt64Builder::new(),
    request_bytes: UInt64Builder = UInt64Builder::new(),
    response_bytes: UInt64Builder = UInt64Builder::new(),
    duration_us: UInt64Builder = UInt64Builder::new(),
    ips: Texts = ListBuilder::new(StringBuilder::new()),
    user_agents: Texts = ListBuilder::new(StringBuilder::new()),
    more: BooleanBuilder = BooleanBuilder::new(),
    ordinal: UInt64Builder = UInt64Builder::new(),
    arrived: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
    policy_versions: Texts = ListBuilder::new(StringBuilder::new()),
});

impl VisitParts {
    pub(super) fn push(&mut self, position: u64, visit: &VisitKey, part: &Part) {
        self.position.append_value(position);
        self.session.append_value(visit.session.0);
        self.visit_start.append_value(visit.start_us);
        self.application.append_value(&part.application);
        self.key.append_value(&part.key);
        self.first.append_value(part.first_us);
        self.last.append_value(part.last_us);
        self.requests.append_value(part.requests);
        self.errors_4xx.append_value(part.errors_4xx);
        self.errors_5xx.append_value(part.errors_5xx);
        self.request_bytes.append_value(part.request_bytes);
        self.response_bytes.append_value(part.response_bytes);
        self.duration_us.append_value(part.duration_us);
        append_texts(&mut self.ips, &part.ips);
        append_texts(&mut self.user_agents, &part.user_agents);
        self.more.append_value(part.more);
        self.ordinal.append_value(part.ordinal);
        self.arrived.append_value(part.arrived_us);
        append_texts(&mut self.policy_versions, &part.policy_versions);
    }
}

columns!(LinkParts {
    position: UInt64Builder = UInt64Builder::new(),
    session_a: BinaryBuilder = BinaryBuilder::new(),
    session_b: BinaryBuilder = BinaryBuilder::new(),
    kind: StringBuilder = StringBuilder::new(),
    key_a: StringBuilder = StringBuilder::new(),
    key_b: StringBuilder = StringBuilder::new(),
    first: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
    last: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
    requests: UInt64Builder = UInt64Builder::new(),
});

impl LinkParts {
    pub(super) fn push(&mut self, position: u64, link: &LinkKey, part: &LinkPart) {
        self.position.append_value(position);
        self.session_a.append_value(link.session_a.0);
        self.session_b.append_value(link.session_b.0);
        self.kind.append_value(link_kind(link.kind));
        self.key_a.append_value(&part.key_a);
        self.key_b.append_value(&part.key_b);
        self.first.append_value(part.first_us);
        self.last.append_value(part.last_us);
        self.requests.append_value(part.requests);
    }
}

columns!(ParamValues {
    position: UInt64Builder = UInt64Builder::new(),
    session: BinaryBuilder = BinaryBuilder::new(),
    name: StringBuilder = StringBuilder::new(),
    value: StringBuilder = StringBuilder::new(),
    kind: StringBuilder = StringBuilder::new(),
    forgeable: BooleanBuilder = BooleanBuilder::new(),
});

impl ParamValues {
    pub(super) fn push(&mut self, position: u64, session: SessionId, param: &Param<'_>) {
        self.position.append_value(position);
        self.session.append_value(session.0);
        self.name.append_value(&param.name);
        self.value.append_value(&param.value);
        self.kind.append_value(parameter_kind(param.kind));
        self.forgeable.append_value(param.forgeable);
    }
}

columns!(Trials {
    position: UInt64Builder = UInt64Builder::new(),
    start: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
    candidate: StringBuilder = StringBuilder::new(),
    client: UInt64Builder = UInt64Builder::new(),
    session: BinaryBuilder = BinaryBuilder::new(),
    key: StringBuilder = StringBuilder::new(),
    trial_session: BinaryBuilder = BinaryBuilder::new(),
    trial_application: StringBuilder = StringBuilder::new(),
    trial_key: StringBuilder = StringBuilder::new(),
    user: StringBuilder = StringBuilder::new(),
    idx: UInt32Builder = UInt32Builder::new(),
    trial_request_session: BinaryBuilder = BinaryBuilder::new(),
    trial_links: Structs = link_structs(),
});

impl Trials {
    pub(super) fn push(
        &mut self,
        place: (u64, u32),
        record: &Record<'_>,
        client: u64,
        trial: &Trial<'_>,
    ) {
        use throughline_session::wire::ParameterKind::User;
        self.position.append_value(place.0);
        self.idx.append_value(place.1);
        let request_session = trial.request_session.unwrap_or(trial.session);
        self.trial_request_session.append_value(request_session.0);
        append_links(&mut self.trial_links, &trial.links);
        self.start.append_value(record.start_us);
        self.candidate.append_value(&trial.policy_version);
        self.client.append_value(client);
        self.session.append_value(record.session.0);
        self.key.append_value(&record.key);
        self.trial_session.append_value(trial.session.0);
        self.trial_application.append_value(&trial.application);
        self.trial_key.append_value(&trial.key);
        let user = record.params.iter().find(|param| param.kind == User);
        self.user.append_option(user.map(|param| &param.value));
    }
}

columns!(Finds {
    position: UInt64Builder = UInt64Builder::new(),
    arrived: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
    start: TimestampMicrosecondBuilder = TimestampMicrosecondBuilder::new(),
    client: UInt64Builder = UInt64Builder::new(),
    login: BooleanBuilder = BooleanBuilder::new(),
    places: Structs = structs([("place", DataType::Utf8), ("hash", DataType::UInt64)]),
});

impl Finds {
    pub(super) fn push(
        &mut self,
        position: u64,
        arrived_us: i64,
        record: &Record<'_>,
        client: u64,
    ) {
        use throughline_session::wire::LinkKind::Login;
        self.position.append_value(position);
        self.arrived.append_value(arrived_us);
        self.start.append_value(record.start_us);
        self.client.append_value(client);
        self.login
            .append_value(record.links.iter().any(|link| link.kind == Login));
        for (place, hash) in record.finder.iter().take(PLACES_MAX) {
            let row = self.places.values();
            set_text(row, 0, place);
            if let Some(hashes) = row.field_builder::<UInt64Builder>(1) {
                hashes.append_value(u64::from_be_bytes(hash.0));
            }
            row.append(true);
        }
        self.places.append(true);
    }
}
