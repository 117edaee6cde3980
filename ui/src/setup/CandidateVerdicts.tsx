// Verdicts that a candidate's grouping would bring and take away, asked for when somebody wants to know.
import { useQuery } from "@tanstack/react-query";
import { Link } from "../app/Link";
import type { CandidateVerdicts as Found, VerdictClient, VerdictExample } from "../api/schema";
import { Bones, Failed, Notice } from "../parts/State";
import { Sure } from "../verdict/Badge";
import { botName } from "../words/bot";
import { count, plural } from "../words/number";
import { verdictsQuery } from "./data";
import style from "./Setup.module.css";

/** Why a client that would be newly caught may be an honest one. */
const STANDINGS: Record<NonNullable<VerdictClient["standing"]>, string> = {
  said_wrong: "somebody said: no bot",
  known_machine: "known machine or good bot",
  not_flagged_today: "not flagged today",
};

const CUTS: Record<NonNullable<Found["cut"]>, string> = {
  records: "the latest only",
  time: "the earliest only: time was up",
};

export function CandidateVerdicts({ name }: { name: string }) {
  const verdicts = useQuery(verdictsQuery(name));
  const found = verdicts.data;
  return (
    <div className={style.comparison}>
      <p>
        <button
          type="button"
          className="button"
          disabled={verdicts.isFetching}
          onClick={() => void verdicts.refetch()}
        >
          {found ? "Judge again" : "What does it do to verdicts?"}
        </button>{" "}
        <span className="soft">
          Detection judges the sampled clients&apos; stored requests under both groupings.
        </span>
      </p>
      {verdicts.isError && <Failed error={verdicts.error} />}
      {verdicts.isFetching && !found && <Bones rows={4} label="Both groupings are being judged" />}
      {found && <Changes found={found} />}
    </div>
  );
}

function Changes({ found }: { found: Found }) {
  if (found.requests_judged === 0) {
    return <Notice>No request of a sampled client could be judged yet.</Notice>;
  }
  return (
    <>
      <NewlyCaught found={found} />
      <table className={style.figures}>
        <thead>
          <tr>
            <th scope="col">Flagged, of {plural(found.clients, "client")}; sessions in brackets</th>
            <th scope="col">Both</th>
            <th scope="col">No longer</th>
            <th scope="col">Newly</th>
          </tr>
        </thead>
        <tbody>
          {found.changes.map(({ bot_type: type, clients, sessions }) => (
            <tr key={type ?? "all"}>
              <th scope="row">{type == null ? "Bots of any kind" : botName(type)}</th>
              <td className="number soft">
                {count(clients.kept)} ({count(sessions.kept)})
              </td>
              <td className={changed(clients.lost)}>
                {count(clients.lost)} ({count(sessions.lost)})
              </td>
              <td className={changed(clients.gained)}>
                {count(clients.gained)} ({count(sessions.gained)})
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className={style.pair}>
        <Examples title="Newly flagged" list={found.gained} />
        <Examples title="No longer flagged" list={found.lost} />
      </div>
      <details className={style.details}>
        <summary>What these figures are not</summary>
        <ul>
          {found.notes.map((line) => (
            <li key={line} className="soft">
              {line}
            </li>
          ))}
        </ul>
      </details>
    </>
  );
}

function changed(clients: number) {
  return clients === 0 ? "number soft" : `number ${style.differs ?? ""}`;
}

function NewlyCaught({ found }: { found: Found }) {
  const { newly_caught: newly, confirmed_lost: confirmed, cut } = found;
  const known = newly.said_wrong + newly.known_machine;
  return (
    <p className={style.sum}>
      <strong>{plural(newly.clients, "client")}</strong> would be newly caught
      {newly.users > 0 && `, with ${plural(newly.users, "user")}`}
      {known > 0 && (
        <>
          , of which <strong className="bad">{count(known)}</strong> known to be honest
        </>
      )}
      {newly.not_flagged_today > 0 &&
        `; of ${count(newly.not_flagged_today)} nobody said whether they are honest`}
      .{" "}
      {confirmed > 0 && (
        <strong className="bad">
          {plural(confirmed, "confirmed bot")} would no longer be flagged.{" "}
        </strong>
      )}
      <span className="soft">
        By {plural(found.requests_judged, "request")}
        {cut != null && `, ${CUTS[cut]}`}
      </span>
    </p>
  );
}

function Examples({ title, list }: { title: string; list: VerdictExample[] }) {
  if (list.length === 0) return null;
  return (
    <div>
      <h3>{title}</h3>
      <ul className={style.examples}>
        {list.map((one) => (
          <li key={one.id}>
            {botName(one.bot_type)} <Sure share={one.confidence} /> {one.subject_kind},{" "}
            {plural(one.clients, "client")}: <span className="soft">{one.reason}</span>
            <ul>
              {one.examples.map((client) => (
                <Client key={client.client} client={client} />
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Client({ client }: { client: VerdictClient }) {
  const [session] = client.sessions;
  return (
    <li className="soft">
      {session == null ? null : (
        <Link className="mono" to={`/sessions/${session}`}>
          {session.slice(0, 10)}
        </Link>
      )}{" "}
      {client.client_ip ?? client.client} {client.users.join(", ")}
      {client.standing != null && <em> {STANDINGS[client.standing]}</em>}
    </li>
  );
}
