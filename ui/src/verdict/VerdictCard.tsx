// A verdict with everything that led to it: sentences, numbers, limits, and the very requests.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "../app/Link";
import type { Change, LabelShown, VerdictEvidence, VerdictWithEvidence } from "../api/schema";
import { Bones, Failed } from "../parts/State";
import { Status } from "../parts/Status";
import { Time } from "../parts/Time";
import { botName, detectorName, limitOrigin, measured } from "../words/bot";
import { plural } from "../words/number";
import { Badge, Sure } from "./Badge";
import { verdictQuery, type Judgement } from "./data";
import { JudgeDialog } from "./JudgeDialog";
import style from "./Verdict.module.css";

interface Props {
  id: string;
  /** On the session's own page its requests are chosen in place. */
  onChoose?: (recordId: string) => void;
}

export function VerdictCard({ id, onChoose }: Props) {
  const verdict = useQuery({ ...verdictQuery(id), refetchInterval: 10_000 });
  if (verdict.isError && !verdict.data) return <Failed error={verdict.error} />;
  if (!verdict.data) return <Bones rows={6} label="The evidence is loading" />;
  const { data } = verdict;
  return (
    <section className={style.card} aria-label="Verdict">
      <Head verdict={data} />
      <h3>Why</h3>
      {data.evidence.length === 0 && <p className="quiet">The evidence is not stored any more.</p>}
      <ul className={style.evidence}>
        {data.evidence.map((one) => (
          <li key={one.detector + (one.endpoint ?? "")}>
            <EvidenceItem evidence={one} session={data.subject} onChoose={onChoose} />
          </li>
        ))}
      </ul>
      <History changes={data.history} />
      <Said labels={data.labels} />
    </section>
  );
}

function Head({ verdict }: { verdict: VerdictWithEvidence }) {
  const [asked, ask] = useState<Judgement["label"] | undefined>(undefined);
  const said = verdict.label?.label ?? null;
  return (
    <>
      <header className={style.head}>
        <Badge
          type={verdict.bot_type}
          confidence={verdict.confidence}
          state={verdict.state}
          flagged={verdict.flagged}
        />
        <span className="soft">
          {verdict.state === "active" ? "holds until " : `${verdict.state}, `}
          <Time at={verdict.expires} />
        </span>
        <span className={style.actions}>
          {said !== "confirmed" && (
            <button type="button" className="button" onClick={() => ask("confirmed")}>
              Confirm…
            </button>
          )}
          {said !== "wrong" && (
            <button type="button" className="button" onClick={() => ask("wrong")}>
              Wrong…
            </button>
          )}
          {said !== null && (
            <button type="button" className="button" onClick={() => ask(null)}>
              Take it back…
            </button>
          )}
        </span>
      </header>
      <p className="soft">
        {verdict.flagged
          ? "Flagged at this application's sensitivity"
          : `Not flagged: it takes sensitivity ${verdict.sensitivity}`}
        {verdict.knowledge === "learning" &&
          ", with limits for the start: the application is still being learnt"}
        {verdict.class === "known_machine" && ". Known as a machine client"}
        {verdict.class === "good_bot" && ". Known as a good bot"}
      </p>
      {asked !== undefined && (
        <JudgeDialog verdict={verdict} label={asked} onClose={() => ask(undefined)} />
      )}
    </>
  );
}

interface EvidenceProps {
  evidence: VerdictEvidence;
  session: string;
  onChoose: ((recordId: string) => void) | undefined;
}

function EvidenceItem({ evidence, session, onChoose }: EvidenceProps) {
  const unit = evidence.unit.split(/[;:(]/)[0]?.trim() ?? "";
  return (
    <>
      <p>
        <strong>{detectorName(evidence.detector)}</strong>
        {evidence.endpoint != null && <code> {evidence.endpoint}</code>} ·{" "}
        {measured(evidence.value)} {unit} in {evidence.window.split(";")[0]}. The limit is{" "}
        {measured(evidence.limit)}{" "}
        <span className="soft">({limitOrigin(evidence.limit_from)})</span>
      </p>
      <details>
        <summary className="soft">
          {plural(evidence.records.length, "request")} that show it · strength{" "}
          <Sure share={evidence.strength} />
        </summary>
        <ul className={style.records}>
          {evidence.records.map((record) => (
            <li key={record.record_id}>
              <Time at={record.start} withMillis />{" "}
              {onChoose && record.session === session ? (
                <button
                  type="button"
                  className={style.record}
                  onClick={() => onChoose(record.record_id)}
                >
                  {record.method} {record.path}
                </button>
              ) : (
                <Link className="mono" to={`/sessions/${record.session}?at=${record.record_id}`}>
                  {record.method} {record.path}
                </Link>
              )}{" "}
              <Status of={{ status: record.status ?? null, flags: "" }} />
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}

function History({ changes }: { changes: Change[] }) {
  if (changes.length < 2) return null;
  return (
    <>
      <h3>How it came to this</h3>
      <ol className={style.history}>
        {changes.slice(0, 12).map((change) => (
          <li key={change.time + String(change.requests)}>
            <Time at={change.time} /> {botName(change.bot_type)} <Sure share={change.confidence} />{" "}
            <span className="soft">after {plural(change.requests, "request")}</span>
          </li>
        ))}
      </ol>
    </>
  );
}

function Said({ labels }: { labels: LabelShown[] }) {
  if (labels.length === 0) return null;
  return (
    <>
      <h3>What people said</h3>
      <ol className={style.history}>
        {labels.map((label) => (
          <li key={label.time}>
            <Time at={label.time} withDay /> {label.author}: {label.label ?? "taken back"}
            {label.note !== "" && <span className="soft"> · {label.note}</span>}
          </li>
        ))}
      </ol>
    </>
  );
}
