// How the rules do: in what share of their requests they find a value.
import { useQuery } from "@tanstack/react-query";
import { Meter } from "../parts/Meter";
import { Value } from "../parts/Value";
import { statusQuery } from "../system/data";
import { count } from "../words/number";
import style from "./Setup.module.css";
import { ruleSums } from "./shares";

export function RuleShares() {
  const status = useQuery(statusQuery);
  const sums = ruleSums(status.data?.workers ?? []);
  const groups = [
    ["key", "Key rules"],
    ["parameter", "Parameters"],
  ] as const;
  return (
    <section className={`panel ${style.card}`} aria-label="How the rules do">
      <h2>How the rules do</h2>
      <p className="soft">In how many of the requests that it is for a rule finds its value.</p>
      {sums.length === 0 && <p className="quiet">No live filter has told yet.</p>}
      {groups.map(([kind, title]) => {
        const rules = sums.filter((sum) => sum.kind === kind);
        if (rules.length === 0) return null;
        return (
          <div key={kind}>
            <h3>{title}</h3>
            {rules.map(({ name, expected, found }) => (
              <Meter
                key={name}
                label={kind === "key" ? <Value field="key" value={name} /> : name}
                share={expected === 0 ? null : found / expected}
                title={`${count(found)} of ${count(expected)} requests`}
              />
            ))}
          </div>
        );
      })}
      <p className="quiet">Since each filter worker has this policy.</p>
    </section>
  );
}
