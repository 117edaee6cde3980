// The first page of a new service: how to connect an Envoy; turns green when the first record is in.
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "../app/Link";
import type { Status } from "../api/schema";
import { Copy } from "../parts/Copy";
import { Failed } from "../parts/State";
import { count, plural } from "../words/number";
import { statusQuery } from "./data";
import style from "./Connect.module.css";

const SECRETS = `# on the Envoy's machine; the same session secret on every Envoy, kept for good
export THROUGHLINE_SESSION_SECRET=$(openssl rand -hex 32)
# the value this service was started with
export THROUGHLINE_INGEST_TOKEN=…`;

const FILTER = `http_filters:
  - name: throughline          # first in the list
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
      config:
        root_id: throughline
        fail_open: true        # whatever happens to the filter, requests go on
        vm_config:
          vm_id: throughline
          runtime: envoy.wasm.runtime.v8
          code: { local: { filename: target/filter/throughline.wasm } }
          environment_variables:
            host_env_keys: [THROUGHLINE_SESSION_SECRET, THROUGHLINE_INGEST_TOKEN]
        configuration:
          "@type": type.googleapis.com/google.protobuf.StringValue
          value: |
            {"capture_point": "gateway", "aggregator": {"cluster": "throughline"},
             "policy": {"keys": [{"name": "login_token", "from": {"bearer": {}}}]}}`;

const cluster = (host: string, port: string) => `clusters:
  - name: throughline
    type: STRICT_DNS
    load_assignment:
      cluster_name: throughline
      endpoints:
        - lb_endpoints:
            - endpoint:
                address: { socket_address: { address: ${host}, port_value: ${port} } }`;

export default function ConnectPage() {
  const status = useQuery(statusQuery);
  const { hostname, port, protocol } = window.location;
  const shownPort = port === "" ? (protocol === "https:" ? "443" : "80") : port;
  if (status.isError && !status.data) {
    return <Failed error={status.error} retry={() => void status.refetch()} />;
  }
  return (
    <div className={style.page}>
      <h1>Connect an Envoy</h1>
      <p className="soft">
        The filter runs inside Envoy and writes a record of every request. This page waits for the
        first one.
      </p>
      <Arrived status={status.data} />
      <ol className={style.steps}>
        <Step title="Give Envoy the secrets" text={SECRETS}>
          Session ids are made with the session secret, and it never leaves Envoy.
        </Step>
        <Step title="Put the filter into its configuration" text={FILTER}>
          The key rules say whose request it is; you can change them here later, under{" "}
          <Link to="/setup">Setup</Link>.
        </Step>
        <Step title="Tell it where this service is" text={cluster(hostname, shownPort)}>
          Nothing else of Envoy's configuration changes. A complete one is{" "}
          <code>envoy/envoy.yaml</code>.
        </Step>
      </ol>
    </div>
  );
}

interface StepProps {
  title: string;
  text: string;
  children: ReactNode;
}

function Step({ title, text, children }: StepProps) {
  return (
    <li>
      <h2>{title}</h2>
      <p className="soft">{children}</p>
      <div className={style.code}>
        <pre tabIndex={0}>{text}</pre>
        <Copy what="text" text={text} className={`button ${style.copy ?? ""}`}>
          Copy
        </Copy>
      </div>
    </li>
  );
}

/** Three lamps: the service answers, an Envoy spoke, records are stored. */
function Arrived({ status }: { status: Status | undefined }) {
  const live = status?.workers.filter(({ state }) => state === "live") ?? [];
  const nodes = [...new Set(live.map(({ node }) => node))];
  const records = status?.store.records ?? 0;
  return (
    <section className={`panel ${style.lamps}`} aria-label="What has arrived" aria-live="polite">
      <Lamp on={status !== undefined}>
        {status ? `This service runs (${status.version})` : "Asking this service"}
      </Lamp>
      <Lamp on={nodes.length > 0}>
        {nodes.length > 0
          ? `${plural(live.length, "filter worker")} of ${nodes.join(", ")}`
          : "No filter has spoken yet"}
      </Lamp>
      <Lamp on={records > 0}>
        {records > 0 ? (
          <>
            <strong>The first records are here</strong>: {count(records)} so far.{" "}
            <Link to="/sessions">See the sessions</Link>
          </>
        ) : nodes.length > 0 ? (
          "Waiting for the first request: send one through Envoy"
        ) : (
          "No record yet"
        )}
      </Lamp>
    </section>
  );
}

function Lamp({ on, children }: { on: boolean; children: ReactNode }) {
  return (
    <div className={on ? style.on : style.off}>
      <span aria-hidden="true">{on ? "✓" : "…"}</span>
      <p>{children}</p>
    </div>
  );
}
