// A place to write the policy: what may stand there is offered, what is wrong stands at its line.
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { Fault } from "../yaml";
import { offersAt, type Offer } from "./complete";
import style from "./Editor.module.css";
import { highlight } from "./highlight";

interface Props {
  text: string;
  onChange: (text: string) => void;
  fault: Fault | null;
  readOnly: boolean;
}

const LINE_PX = 20;
const LIST = "policy-offers";

export function Editor({ text, onChange, fault, readOnly }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const { offers, at, look, close, press } = useOffers(area);
  const lines = useMemo(() => text.split("\n"), [text]);
  const line = fault?.line ?? null;
  useEffect(() => {
    if (line === null || document.activeElement === area.current) return;
    area.current?.parentElement?.parentElement?.scrollTo({ top: (line - 6) * LINE_PX });
  }, [line]);
  return (
    <div className={`panel ${style.editor}`}>
      <div className={style.scroll}>
        <div className={style.gutter} aria-hidden="true">
          {lines.map((_, index) => (
            <div key={index} className={line === index + 1 ? style.wrongLine : undefined}>
              {index + 1}
            </div>
          ))}
        </div>
        <div className={style.text} style={{ height: lines.length * LINE_PX + 24 }}>
          {line !== null && (
            <div className={style.mark} style={{ top: (line - 1) * LINE_PX + 10 }} />
          )}
          <pre className={style.colours} aria-hidden="true">
            {lines.map((content, index) => (
              <div key={index}>
                {highlight(content).map((part, place) => (
                  <span key={place} className={style[part.kind]}>
                    {part.text}
                  </span>
                ))}
                {"\n"}
              </div>
            ))}
          </pre>
          <textarea
            ref={area}
            aria-label="The policy, as YAML"
            aria-invalid={fault !== null}
            aria-describedby="policy-fault"
            aria-autocomplete="list"
            aria-controls={LIST}
            {...(offers.length > 0 && { "aria-activedescendant": `${LIST}-${at}` })}
            spellCheck={false}
            wrap="off"
            readOnly={readOnly}
            value={text}
            onChange={(event) => {
              onChange(event.target.value);
              look();
            }}
            onKeyDown={press}
            onBlur={close}
            onClick={close}
          />
          <Offers offers={offers} at={at} area={area} />
        </div>
      </div>
      <p id="policy-fault" className={fault ? style.fault : style.fine} role="status">
        {fault ? (
          `Line ${fault.line}: ${fault.why}`
        ) : (
          <>
            YAML or JSON · <kbd>ctrl</kbd> <kbd>space</kbd> offers what may stand here · what it
            means is checked before it is used
          </>
        )}
      </p>
    </div>
  );
}

/** What could be typed now, and the keys that choose from it. */
function useOffers(area: React.RefObject<HTMLTextAreaElement | null>) {
  const [offers, setOffers] = useState<Offer[]>([]);
  const [at, setAt] = useState(0);
  const close = () => setOffers([]);
  const look = (asked = false) => {
    const field = area.current;
    if (!field) return;
    const found = offersAt(field.value, field.selectionStart);
    // Unasked only once something is typed: a new line is no question.
    const [first] = found;
    setOffers(asked || (first !== undefined && first.replaces > 0) ? found : []);
    setAt(0);
  };
  const take = (offer: Offer) => {
    const field = area.current;
    if (!field) return;
    field.selectionStart -= offer.replaces;
    type(offer.insert);
    close();
  };
  const press = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    const chosen = offers[at];
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      look(true);
    } else if (chosen && move !== undefined) {
      event.preventDefault();
      setAt((at + move + offers.length) % offers.length);
    } else if (chosen && (event.key === "Enter" || event.key === "Tab")) {
      event.preventDefault();
      take(chosen);
    } else if (chosen && event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === "Enter" && !event.shiftKey) {
      indent(event);
    } else if (event.key.startsWith("Arrow")) {
      close();
    }
  };
  return { offers, at, look: () => look(), close, press };
}

/** Types into the field that has the focus: the one way that the browser can undo. */
function type(text: string) {
  document.execCommand("insertText", false, text);
}

/** Tab leaves the field, as everywhere; enter keeps the indentation. */
function indent(event: KeyboardEvent<HTMLTextAreaElement>) {
  const { selectionStart: at, value } = event.currentTarget;
  const line = value.slice(value.lastIndexOf("\n", at - 1) + 1, at);
  const deeper = line.trimEnd().endsWith(":") ? 2 : 0;
  const spaces = (/^ *(?:- )?/.exec(line)?.[0].length ?? 0) + deeper;
  if (spaces === 0) return;
  event.preventDefault();
  type(`\n${" ".repeat(spaces)}`);
}

interface OffersProps {
  offers: Offer[];
  at: number;
  area: React.RefObject<HTMLTextAreaElement | null>;
}

function Offers({ offers, at, area }: OffersProps) {
  const field = area.current;
  const before = field?.value.slice(0, field.selectionStart).split("\n") ?? [];
  const column = (before.at(-1)?.length ?? 0) - (offers[0]?.replaces ?? 0);
  const place = { left: `calc(${column}ch + 8px)`, top: before.length * LINE_PX + 12 };
  return (
    <ul
      id={LIST}
      role="listbox"
      aria-label="What may stand here"
      className={style.offers}
      hidden={offers.length === 0}
      style={place}
    >
      {offers.map(({ name, about }, index) => (
        <li
          key={name}
          id={`${LIST}-${index}`}
          role="option"
          aria-selected={index === at}
          className={index === at ? style.chosen : undefined}
        >
          <span>{name}</span>
          <span className={style.about}>{about}</span>
        </li>
      ))}
    </ul>
  );
}
