import { useMemo } from "react";
import { plural } from "../words/number";
import { diff, hunks } from "./diff";
import style from "./Setup.module.css";

const SIGN = { same: " ", gone: "−", new: "+" } as const;

/** What changes, line by line. */
export function DiffView({ before, after }: { before: string; after: string }) {
  const lines = useMemo(() => diff(before, after), [before, after]);
  const fresh = lines.filter(({ kind }) => kind === "new").length;
  const gone = lines.filter(({ kind }) => kind === "gone").length;
  if (fresh + gone === 0) return <p className="soft">Nothing differs.</p>;
  return (
    <>
      <p className="soft">
        {plural(fresh, "line")} more, {plural(gone, "line")} less
      </p>
      <pre className={style.diff} tabIndex={0} aria-label="What changes">
        {hunks(lines).map((line, index) => (
          <div key={index} className={line ? style[line.kind] : style.leftOut}>
            {line ? `${SIGN[line.kind]} ${line.text}` : "⋯"}
          </div>
        ))}
      </pre>
    </>
  );
}
