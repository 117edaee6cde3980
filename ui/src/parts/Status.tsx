import type { Exchange } from "../api/schema";
import { outcome } from "../words/sequence";

const TONE = { ok: undefined, refused: "warn", failed: "bad", none: "soft" } as const;

/** The status of an answer; what is wrong has colour. */
export function Status({ of }: { of: Pick<Exchange, "status" | "flags"> }) {
  const came = outcome(of.status);
  const text = came === "none" ? "none" : String(of.status);
  return (
    <span className={TONE[came]} title={of.flags === "" ? undefined : `Envoy's flags: ${of.flags}`}>
      {text}
      {of.flags !== "" && <span className="quiet"> {of.flags}</span>}
    </span>
  );
}
