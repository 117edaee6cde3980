// One request with everything that is known of it: request and answer side by side.
import { useQuery } from "@tanstack/react-query";
import { Fragment, type ReactNode } from "react";
import { Link } from "../app/Link";
import type { Exchange } from "../api/schema";
import { Copy } from "../parts/Copy";
import { Status } from "../parts/Status";
import { Time } from "../parts/Time";
import { Value } from "../parts/Value";
import { policyQuery } from "../setup/data";
import { linkName } from "../words/link";
import { bytes } from "../words/number";
import { took } from "../words/time";
import style from "./Detail.module.css";
import { keyPlace, type KeyPlace } from "./keyPlace";
import { curlOf, queryText } from "./request";

interface Props {
  request: Exchange;
  onClose: () => void;
}

export function Detail({ request, onClose }: Props) {
  const policy = useQuery(policyQuery);
  const place = keyPlace(policy.data?.policy, request.key);
  const link = `${window.location.origin}/sessions/${request.session}?at=${request.record_id}`;
  return (
    <section className={`panel ${style.detail}`} aria-label="The chosen request">
      <header className={style.head}>
        <h2 className="mono cut" title={request.path ?? undefined}>
          {request.method}{" "}
          {request.path == null ? "(no path)" : <Value field="path" value={request.path} />}
        </h2>
        <Status of={request} />
        <span className="soft">
          {took(request.duration_us)} · <Time at={request.start} withMillis />
        </span>
        <span className={style.actions}>
          <Copy what="link to this request" text={link}>
            Copy link
          </Copy>
          <Copy what="request as curl" text={curlOf(request)}>
            Copy as curl
          </Copy>
          <button type="button" className="button" onClick={onClose}>
            Close <kbd>esc</kbd>
          </button>
        </span>
      </header>
      <div className={style.sides}>
        <Asked request={request} place={place} />
        <Answered request={request} place={place} />
        <Recorded request={request} />
      </div>
    </section>
  );
}

function Side({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <dl className={style.rows}>{children}</dl>
    </section>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children ?? <span className="quiet">–</span>}</dd>
    </>
  );
}

/** The place of the session's key; its value stays in Envoy, only its hash is known here. */
function KeyRows({ request, place }: { request: Exchange; place: KeyPlace }) {
  return place.places.map((text) => (
    <Row key={text} name={text}>
      <span className={style.key}>key</span>{" "}
      <span className="soft" title={`The value stays in Envoy; by rule ${request.key}`}>
        hash <span className="mono">{request.session.slice(0, 8)}</span>
      </span>
    </Row>
  ));
}

function Asked({ request, place }: { request: Exchange; place: KeyPlace | null }) {
  return (
    <Side title="Request">
      {place?.side === "request" && <KeyRows request={request} place={place} />}
      <Params request={request} />
      <Row name="host">
        {request.host == null ? null : <Value field="host" value={request.host} />}
        {request.scheme != null && <span className="quiet"> {request.scheme}</span>}
      </Row>
      <Row name="query">
        {request.query_names.length > 0 ? <span className="mono">{queryText(request)}</span> : null}
      </Row>
      <Row name="address">
        {request.client_ip == null ? null : (
          <span className="mono">
            <Value field="ip" value={request.client_ip} />
          </span>
        )}
      </Row>
      <Row name="client">{request.user_agent}</Row>
      {request.referer_host != null && <Row name="referer">{request.referer_host}</Row>}
      <Row name="body">
        {bytes(request.request_bytes)} <span className="quiet">{request.protocol}</span>
      </Row>
    </Side>
  );
}

function Answered({ request, place }: { request: Exchange; place: KeyPlace | null }) {
  const { upstream_us: upstream, duration_us: whole } = request;
  return (
    <Side title="Answer">
      {place?.side === "answer" && <KeyRows request={request} place={place} />}
      <Row name="status">
        {request.status == null ? (
          <Status of={request} />
        ) : (
          <Value field="status" value={String(request.status)}>
            <Status of={request} />
          </Value>
        )}
      </Row>
      <Row name="took">
        {took(whole)}
        {upstream != null && <span className="soft"> · the API {took(upstream)}</span>}
      </Row>
      <Row name="type">{request.content_type}</Row>
      <Row name="body">{bytes(request.response_bytes)}</Row>
    </Side>
  );
}

function Recorded({ request }: { request: Exchange }) {
  return (
    <Side title="Record">
      <Row name="trace">
        <Id what="trace id" text={request.trace_id} />
      </Row>
      <Row name="request id">
        <Id what="request id" text={request.request_id} />
      </Row>
      <Row name="record">
        <Id what="record id" text={request.record_id} />
      </Row>
      <Row name="found by">
        <Value field="key" value={request.key} />
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
        <Row key={other.session} name={linkName(other.kind)}>
          <Link className="mono" to={`/sessions/${other.session}`}>
            {other.session.slice(0, 12)}
          </Link>{" "}
          <span className="soft">by {other.key}</span>
        </Row>
      ))}
      <Row name="seen by">
        {request.node}, {request.capture_point}, policy {request.policy_version}
      </Row>
      {request.truncated.length > 0 && (
        <Row name="cut">
          <span className="warn">{request.truncated.join(", ")}</span>
        </Row>
      )}
    </Side>
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

/** Context parameters in the policy's order, and those that could not be read. */
function Params({ request }: { request: Exchange }) {
  return (
    <>
      {request.params.map(({ name, kind, value, forgeable }) => (
        <Fragment key={name}>
          <dt className={style.param}>{name}</dt>
          <dd>
            <Value field={kind === "plain" ? `param.${name}` : kind} value={value} />
            {kind !== "plain" && <span className="soft"> {kind}</span>}
            {forgeable && (
              <span className="warn" title="The client could put there what it liked">
                {" "}
                as claimed
              </span>
            )}
          </dd>
        </Fragment>
      ))}
      {request.extract_failed.map(({ name, why }) => (
        <Fragment key={name}>
          <dt className={style.param}>{name}</dt>
          <dd className="warn">could not be read: {why.replace("_", " ")}</dd>
        </Fragment>
      ))}
    </>
  );
}
