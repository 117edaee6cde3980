// What belongs together with the session: links with their kind, its visits, its parameters.
import { Link } from "../app/Link";
import type { SessionLink, SessionWithVisits } from "../api/schema";
import { Time } from "../parts/Time";
import { count, plural } from "../words/number";
import { linkName, relation } from "../words/link";
import { length } from "../words/time";
import style from "./Session.module.css";

const KINDS: Record<string, Record<string, string>> = {
  from: {
    login: "It logged in from",
    refresh: "It renewed",
    both: "Together with",
    policy_change: "Before the policy changed",
  },
  to: {
    login: "It logged in as",
    refresh: "It was renewed as",
    both: "Together with",
    policy_change: "After the policy changed",
  },
};

export function Related({ session }: { session: SessionWithVisits }) {
  const linked = new Set(session.links.map((link) => link.session));
  const further = session.related.filter((related) => !linked.has(related.session));
  return (
    <section className={style.related} aria-label="What belongs to it">
      <h3>Before and after</h3>
      {session.links.length === 0 && (
        <p className="quiet">No other session is linked to this one.</p>
      )}
      <ul className={style.links}>
        {session.links.slice(0, 12).map((link, index, all) => (
          <li key={link.session + link.kind}>
            <LinkLine link={link} />{" "}
            {link.stored && all.findIndex((other) => other.session === link.session) === index && (
              <Beside id={session.session} other={link.session} />
            )}
          </li>
        ))}
      </ul>
      {session.link_count > 12 && (
        <p className="soft">and {count(session.link_count - 12)} more links</p>
      )}
      {further.length > 0 && (
        <>
          <h3>Related</h3>
          <ul className={style.links}>
            {further.slice(0, 8).map(({ session: id, via, distance }) => (
              <li key={id}>
                <Link className="mono" to={`/sessions/${id}`}>
                  {id.slice(0, 12)}
                </Link>{" "}
                <span className="soft">{relation(via, distance)}</span>{" "}
                <Beside id={session.session} other={id} />
              </li>
            ))}
          </ul>
          {further.length > 8 && <p className="soft">and {count(further.length - 8)} more</p>}
        </>
      )}
      {session.params.length > 0 && (
        <>
          <h3>Parameters, last values</h3>
          <dl className={style.rows}>
            {session.params.map((param) => (
              <div key={param.name} className={style.pair}>
                <dt>{param.name}</dt>
                <dd title={`in ${plural(param.requests, "request")}`}>{param.value}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
      <h3>{session.visits === 1 ? "One visit" : plural(session.visits, "visit")}</h3>
      <ol className={style.links}>
        {session.visit_list.slice(-8).map((visit) => (
          <li key={visit.visit_start}>
            <Time at={visit.first} />{" "}
            <span className="soft">
              {length(visit.duration_ms)}, {plural(visit.requests, "request")}
            </span>
          </li>
        ))}
      </ol>
      <p className={`quiet ${style.tip}`}>
        Choose a request to see all of it: <kbd>j</kbd> <kbd>k</kbd>, or a click.
      </p>
    </section>
  );
}

/** The two beside each other. */
function Beside({ id, other }: { id: string; other: string }) {
  return (
    <Link
      className={style.beside}
      to={`/sessions/${id}/compare/${other}`}
      title="Both sessions beside each other"
      aria-label={`Compare with ${other.slice(0, 12)}`}
    >
      compare
    </Link>
  );
}

function LinkLine({ link }: { link: SessionLink }) {
  const words = KINDS[link.direction]?.[link.kind] ?? `Linked by ${linkName(link.kind)}`;
  return (
    <>
      <span className={style.linkWord}>{words}</span>{" "}
      {link.stored ? (
        <Link className="mono" to={`/sessions/${link.session}`}>
          {link.session.slice(0, 12)}
        </Link>
      ) : (
        <span className="mono quiet">{link.session.slice(0, 12)}</span>
      )}{" "}
      <span className="soft">
        {link.key}, <Time at={link.first} />
        {!link.stored && ", no requests stored"}
      </span>
      {link.shared_key && <span className="warn"> shared key, not followed</span>}
    </>
  );
}
