import type { Envoy } from "../api/schema";
import { Card, Figures } from "../parts/Card";
import { count } from "../words/number";
import { ago } from "../words/time";

const HEAD = ["Envoy", "State", "Version", "Read", "#Handled", "#Under way", "#Seen", "#Bypassed"];

/** Envoys whose own counters the books are held against. */
export function EnvoyTable({ envoys, now }: { envoys: Envoy[]; now: string }) {
  return (
    <Card title="Envoys" note="handled = seen + bypassed, by Envoy's own counter">
      {envoys.length === 0 ? (
        <p className="quiet">
          No admin address is given: start the service with <code>--envoy-admin http://…:9901</code>{" "}
          to have Envoy's own counter beside the filters'.
        </p>
      ) : (
        <Figures label="Envoys' counters" head={HEAD}>
          {envoys.map((envoy) => (
            <tr key={envoy.admin + (envoy.boot ?? "")}>
              <th scope="row">
                {envoy.node} <span className="quiet mono">{envoy.admin}</span>
              </th>
              <td className={envoy.reachable ? "ok" : "warn"} title={envoy.error ?? undefined}>
                {envoy.reachable ? "● answers" : envoy.gone ? "○ gone" : "○ does not answer"}
              </td>
              <td className="soft">{release(envoy.version)}</td>
              <td>{envoy.last_scrape == null ? "–" : ago(envoy.last_scrape, Date.parse(now))}</td>
              <td className="number">{count(envoy.handled)}</td>
              <td className="number soft">{count(envoy.active)}</td>
              <td className="number">{envoy.seen == null ? "–" : count(envoy.seen)}</td>
              <td className={`number ${envoy.bypassed > 0 ? "warn" : "quiet"}`}>
                {count(envoy.bypassed)}
              </td>
            </tr>
          ))}
        </Figures>
      )}
    </Card>
  );
}

/** `…/1.40.0/Clean/RELEASE/…` says more than anyone asks. */
const release = (version: string) => version.split("/")[1] ?? version;
