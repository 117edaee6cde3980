import type { Shared } from "../api/schema";
import { Card } from "../parts/Card";
import { count, percent } from "../words/number";
import style from "./Compare.module.css";

interface Props {
  title: string;
  note?: string;
  shared: Shared;
  mono?: boolean;
  text?: (value: string) => string;
}

const SHOWN = 12;
/** The longest bar. */
const BAR_PX = 64;

/** Values of both sessions, how often each has them; bars grow away from the middle. */
export function SharedCard({ title, note, shared, mono = false, text }: Props) {
  const { values, overlap, both, only_a: onlyA, only_b: onlyB } = shared;
  const most = Math.max(1, ...values.map(({ a, b }) => Math.max(a, b)));
  const wide = (many: number) => ({ width: (many / most) * BAR_PX });
  const all = both + onlyA + onlyB;
  return (
    <Card
      title={title}
      note={
        note ??
        `${count(both)} in both, ${count(onlyA)} only in the first, ${count(onlyB)} only in the second`
      }
      actions={<strong>{percent(overlap)} shared</strong>}
    >
      {values.length === 0 ? (
        <p className={style.none}>Nothing is known of either.</p>
      ) : (
        <ol className={style.pairs}>
          <li className={style.heads} aria-hidden="true">
            <span />
            <span className={style.left}>the first</span>
            <span className={style.right}>the second</span>
          </li>
          {values.slice(0, SHOWN).map(({ value, a, b }) => (
            <li key={value} className={a > 0 && b > 0 ? undefined : style.single}>
              <span className={mono ? "mono cut" : "cut"} title={value}>
                {text ? text(value) : value}
              </span>
              <span className={style.left}>
                {a > 0 ? count(a) : "–"} <i style={wide(a)} />
              </span>
              <span className={style.right}>
                <i style={wide(b)} /> {b > 0 ? count(b) : "–"}
              </span>
            </li>
          ))}
        </ol>
      )}
      {all > SHOWN && <p className={style.none}>and {count(all - SHOWN)} more</p>}
    </Card>
  );
}
