import { Value } from "./Value";
import style from "./Labels.module.css";

/** Labels that people gave a session; each is a filter. */
export function Labels({ labels }: { labels: readonly string[] }) {
  return (
    <span className={style.labels}>
      {labels.map((label) => (
        <Value key={label} field="label" value={label} title="A label that people gave it">
          <span className={style.label}>{label}</span>
        </Value>
      ))}
    </span>
  );
}
