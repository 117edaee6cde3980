// Which rules make sessions now, and how many each makes at the address.
import { useQuery } from "@tanstack/react-query";
import { useFacet } from "../api/facets";
import { Link } from "../app/Link";
import { policyQuery } from "../setup/data";
import { plural } from "../words/number";
import { rulesAt, rulesOf } from "./story";
import style from "./Tour.module.css";

export function Rules({ address }: { address: string | null }) {
  const policy = useQuery(policyQuery);
  const q = address === null ? "last:24h" : `ip:${address} last:24h`;
  const found = useFacet("key", q, 50, true);
  const rules = rulesAt(rulesOf(policy.data?.policy), found.data?.values ?? []);
  return (
    <>
      <p>
        A rule names the place of a key; the first that finds one makes the session. The rules now,
        and their sessions{address !== null && <> at {address}</>}:
      </p>
      <ul className={style.rules}>
        {rules.map(({ name, sessions }) => (
          <li key={name}>
            <code>{name}</code> <span className="soft">{plural(sessions, "session")}</span>
          </li>
        ))}
      </ul>
      <p className="soft">
        <Link to="/setup/keys">Keys</Link> finds places that look like keys;{" "}
        <Link to="/setup/candidates">Candidates</Link> tries a rule before it counts.
      </p>
    </>
  );
}
