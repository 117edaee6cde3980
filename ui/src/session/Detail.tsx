// One request with everything that is known of it: request and answer beside each other.
import type { ReactNode } from "react";
import { Link } from "../app/Link";
import type { Exchange } from "../api/schema";
import { Copy } from "../parts/Copy";
import { Status } from "../parts/Status";
import { Time } from "../parts/Time";
import { Value } from "../parts/Value";
import { bytes } from "../words/number";
import { took } from "../words/time";
import style from "./Session.module.css";

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children ?? <span className="quiet">–</span>}</dd>
    </>
  );
}

function Id({ what, text }: { what: string; text: string | null | undefined }) {
  if (text == null) return <span className="quiet">none</span>;
  return (
    <Copy what={what} text={text} className={`mono ${style.id ?? ""}`}>
      {text}
    </Copy>
  );
}

export function Detail({ request, session }: { request: Exchange; session: string }) {
  const link = `${window.location.origin}/sessions/${session}?at=${request.record_id}`;
  return (
    <section className={`panel ${style.detail}`} aria-label="The chosen request">
      <h2 className={`mono ${style.asked}`}>
        {request.method} {request.path ?? "(no path)"}
      </h2>
      <p className="soft">
        <Time at={request.start} withMillis /> · <Status of={request} /> ·{" "}
        {took(request.duration_us)}
      </p>
      <Params request={request} />
      <h3>Request</h3>
      <dl className={style.rows}>
        <Row name="host">
          {request.scheme}://{request.host}
        </Row>
        <Row name="query">{queryText(request)}</Row>
        <Row name="address">
          {request.client_ip != null && <Value field="ip" value={request.client_ip} />}
        </Row>
        <Row name="client">{request.user_agent}</Row>
        <Row name="referer">{request.referer_host}</Row>
        <Row name="protocol">{request.protocol}</Row>
        <Row name="body">{bytes(request.request_bytes)}</Row>
      </dl>
      <h3>Answer</h3>
      <dl className={style.rows}>
        <Row name="status">
          <Status of={request} />
        </Row>
        <Row name="took">
          {took(request.duration_us)}
          {request.upstream_us != null && (
            <span className="soft"> of which the API {took(request.upstream_us)}</span>
          )}
        </Row>
        <Row name="type">{request.content_type}</Row>
        <Row name="body">{bytes(request.response_bytes)}</Row>
      </dl>
      <h3>Record</h3>
      <dl className={style.rows}>
        <Row name="found by">
          <span className={style.keyMark}>{request.key}</span>
        </Row>
        {request.request_session !== request.session && (
          <Row name="asked as">
            <Link className="mono" to={`/sessions/${request.request_session}`}>
              {request.request_session.slice(0, 12)}
            </Link>{" "}
            <span className="soft">known when it was asked</span>
          </Row>
        )}
        {request.links.map((other) => (
          <Row key={other.session} name={other.kind}>
            <Link className="mono" to={`/sessions/${other.session}`}>
              {other.session.slice(0, 12)}
            </Link>{" "}
            <span className="soft">by {other.key}</span>
          </Row>
        ))}
        <Row name="trace">
          <Id what="trace id" text={request.trace_id} />
        </Row>
        <Row name="request id">
          <Id what="request id" text={request.request_id} />
        </Row>
        <Row name="record">
          <Id what="record id" text={request.record_id} />
        </Row>
        <Row name="seen by">
          {request.node}, {request.capture_point}, policy {request.policy_version}
        </Row>
        {request.truncated.length > 0 && <Row name="cut">{request.truncated.join(", ")}</Row>}
      </dl>
      <Copy what="link to this request" text={link} />
    </section>
  );
}

function Params({ request }: { request: Exchange }) {
  if (request.params.length + request.extract_failed.length === 0) return null;
  return (
    <>
      <h3>Parameters</h3>
      <dl className={style.rows}>
        {request.params.map((param) => (
          <Row key={param.name} name={param.name}>
            {param.kind === "user" ? <Value field="user" value={param.value} /> : param.value}
            {param.kind !== "plain" && <span className="soft"> {param.kind}</span>}
            {param.forgeable && (
              <span className="quiet" title="The client could put there what it liked">
                {" "}
                as claimed
              </span>
            )}
          </Row>
        ))}
        {request.extract_failed.map(({ name, why }) => (
          <Row key={name} name={name}>
            <span className="warn">could not be read: {why.replace("_", " ")}</span>
          </Row>
        ))}
      </dl>
    </>
  );
}

/** Names, and the values that the policy asks for. */
function queryText(request: Exchange): string | null {
  if (request.query_names.length === 0) return null;
  const values = new Map(request.query_values.map(({ name, value }) => [name, value]));
  return request.query_names
    .map((name) => (values.has(name) ? `${name}=${values.get(name) ?? ""}` : name))
    .join(" & ");
}
