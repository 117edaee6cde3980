// A place to write the policy: lines have numbers, and what is wrong stands at its line.
import { useEffect, useRef } from "react";
import style from "./Editor.module.css";
import type { Fault } from "./yaml";

interface Props {
  text: string;
  onChange: (text: string) => void;
  fault: Fault | null;
  readOnly: boolean;
}

const LINE_PX = 20;

export function Editor({ text, onChange, fault, readOnly }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const lines = text.split("\n").length;
  const line = fault?.line ?? null;
  useEffect(() => {
    if (line === null || !area.current) return;
    area.current.parentElement?.parentElement?.scrollTo({ top: (line - 6) * LINE_PX });
  }, [line]);
  const indent = (event: React.KeyboardEvent<HTMLTextAreaElement>) => {
    // Tab leaves the field, as everywhere; enter keeps the indentation.
    if (event.key !== "Enter" || event.shiftKey) return;
    const { selectionStart: at, value } = event.currentTarget;
    const start = value.lastIndexOf("\n", at - 1) + 1;
    const spaces = /^ */.exec(value.slice(start, at))?.[0] ?? "";
    if (spaces === "") return;
    event.preventDefault();
    event.currentTarget.setRangeText(`\n${spaces}`, at, event.currentTarget.selectionEnd, "end");
    onChange(event.currentTarget.value);
  };
  return (
    <div className={`panel ${style.editor}`}>
      <div className={style.scroll}>
        <div className={style.gutter} aria-hidden="true">
          {Array.from({ length: lines }, (_, index) => (
            <div key={index} className={line === index + 1 ? style.wrongLine : undefined}>
              {index + 1}
            </div>
          ))}
        </div>
        <div className={style.text} style={{ height: lines * LINE_PX + 24 }}>
          {line !== null && (
            <div className={style.mark} style={{ top: (line - 1) * LINE_PX + 10 }} />
          )}
          <textarea
            ref={area}
            aria-label="The policy, as YAML"
            aria-invalid={fault !== null}
            aria-describedby="policy-fault"
            spellCheck={false}
            wrap="off"
            readOnly={readOnly}
            value={text}
            onChange={(event) => onChange(event.target.value)}
            onKeyDown={indent}
          />
        </div>
      </div>
      <p id="policy-fault" className={fault ? style.fault : style.fine} role="status">
        {fault
          ? `Line ${fault.line}: ${fault.why}`
          : "YAML or JSON; what it means is checked before it is used"}
      </p>
    </div>
  );
}
