// Who it is and how much of it there is, in one line of facts.
import type { ReactNode } from "react";
import type { SessionWithVisits } from "../api/schema";
import { Time } from "../parts/Time";
import { Value } from "../parts/Value";
import { clientName } from "../words/client";
import { countryName } from "../words/country";
import { bytes, count, plural } from "../words/number";
import { isToday, length } from "../words/time";
import style from "./Session.module.css";

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className={style.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

const none = <span className="quiet">none known</span>;

function List({ field, values, more }: { field: string; values: string[]; more: number }) {
  const shown = values.slice(0, 3);
  if (shown.length === 0) return none;
  return (
    <>
      {shown.map((value) => (
        <div key={value}>
          <Value field={field} value={value} />
        </div>
      ))}
      {more > 0 && (
        <div className="soft" title={values.join("\n")}>
          and {count(more)} more
        </div>
      )}
    </>
  );
}

export function Facts({ session }: { session: SessionWithVisits }) {
  const { users, roles, ips, user_agents: agents, countries = [] } = session;
  const errors = session.errors_4xx + session.errors_5xx;
  const forgeable = session.identities.some((identity) => identity.forgeable);
  const agent = agents.values[0];
  return (
    <dl className={`panel ${style.facts}`}>
      <Fact name={users.count > 1 ? `Users (${count(users.count)})` : "User"}>
        <List
          field="user"
          values={users.values}
          more={users.count - Math.min(3, users.values.length)}
        />
        {forgeable && (
          <span className="warn" title="The client could put there what it liked">
            as it claims
          </span>
        )}
      </Fact>
      {roles.count > 0 && (
        <Fact name="Role">
          <List
            field="role"
            values={roles.values}
            more={roles.count - Math.min(3, roles.values.length)}
          />
        </Fact>
      )}
      <Fact name={ips.count > 1 ? `Addresses (${count(ips.count)})` : "Address"}>
        <span className="mono">
          <List field="ip" values={ips.values} more={ips.count - Math.min(3, ips.values.length)} />
        </span>
        {countries.length > 0 && (
          <div className="soft">
            {countries.slice(0, 3).map((country) => (
              <Value key={country} field="country" value={country}>
                {countryName(country)}{" "}
              </Value>
            ))}
          </div>
        )}
      </Fact>
      <Fact name="Client">
        {agent === undefined ? (
          none
        ) : (
          <>
            <span title={agent}>{clientName(agent)}</span>
            {agents.count > 1 && (
              <div className="soft" title={agents.values.join("\n")}>
                and {count(agents.count - 1)} more
              </div>
            )}
          </>
        )}
      </Fact>
      <Fact name="Found by">
        <Value field="key" value={session.key} />
        <div className="soft">
          in <Value field="app" value={session.application} />
        </div>
        {session.shared_key && <div className="warn">shared key: no one person's</div>}
      </Fact>
      <Fact name="Requests">
        {count(session.requests)}
        {errors > 0 && (
          <div>
            {session.errors_4xx > 0 && (
              <span className="warn">{count(session.errors_4xx)} × 4xx </span>
            )}
            {session.errors_5xx > 0 && (
              <span className="bad">{count(session.errors_5xx)} × 5xx</span>
            )}
          </div>
        )}
        <div className="soft">{bytes(session.response_bytes)} sent back</div>
      </Fact>
      <Fact name="When">
        <Time at={session.first} withDay={!isToday(session.first)} /> –{" "}
        <Time
          at={session.last}
          withDay={session.first.slice(0, 10) !== session.last.slice(0, 10)}
        />
        <div className="soft">
          {length(session.duration_ms)}, {plural(session.visits, "visit")}
        </div>
      </Fact>
    </dl>
  );
}
