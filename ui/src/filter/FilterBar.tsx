// The filter as terms one can take away, and a place to type the next one.
import { useId, useRef, useState, type KeyboardEvent } from "react";
import { go } from "../app/router";
import { useKeys } from "../app/keys";
import { useFacet } from "../api/facets";
import { fieldOf, offers, type Offer } from "./complete";
import style from "./FilterBar.module.css";
import { split } from "./words";

interface Props {
  words: string[];
  onChange: (words: string[]) => void;
  /** What is asked now: values are offered of its sessions. */
  q: string | undefined;
}

/** Values of a field that are known while one types. */
const VALUES = 200;
const SESSION_ID = /^[0-9a-f]{32}$/i;

export function FilterBar({ words, onChange, q }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const list = useId();
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(-1);
  const [open, setOpen] = useState(false);
  useKeys("Filter", [{ key: "/", does: "type a filter", run: () => input.current?.focus() }]);

  const field = fieldOf(typed);
  const facet = useFacet(field?.name ?? "", q, VALUES, open && field?.isListed === true);
  const offered = open ? offers(typed, (field && facet.data?.values) ?? []) : [];
  const type = (text: string) => {
    setTyped(text);
    setAt(-1);
    setOpen(true);
  };
  const add = (text: string) => {
    const word = text.trim();
    if (SESSION_ID.test(word)) {
      go(`/sessions/${word.toLowerCase()}`);
      return;
    }
    const more = split(word).filter((other) => !words.includes(other));
    if (more.length > 0) onChange([...words, ...more]);
    type("");
  };
  const take = (offer: Offer) => {
    if (offer.whole) add(offer.text);
    else type(offer.text);
    input.current?.focus();
  };
  const without = (index: number) => onChange(words.filter((_, other) => other !== index));

  const press = (event: KeyboardEvent) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const offer = offered[at] ?? (event.key === "Tab" && typed !== "" ? offered[0] : undefined);
    if (move !== undefined && offered.length > 0) {
      event.preventDefault();
      setAt((at + move + offered.length + (at < 0 && move < 0 ? 1 : 0)) % offered.length);
    } else if ((event.key === "Enter" || event.key === "Tab") && offer) {
      event.preventDefault();
      take(offer);
    } else if (event.key === "Enter") {
      add(typed);
    } else if (event.key === "Escape") {
      if (offered.length > 0) setOpen(false);
      else input.current?.blur();
    } else if (event.key === "Backspace" && typed === "" && words.length > 0) {
      without(words.length - 1);
    }
  };

  return (
    <div className={style.bar} role="search" aria-label="Filter sessions">
      {words.map((word, index) => (
        <button
          key={word}
          type="button"
          className={word.startsWith("-") ? `${style.term} ${style.leftOut}` : style.term}
          title="Remove"
          aria-label={`Remove ${word}`}
          onClick={() => without(index)}
        >
          {word.startsWith("-") ? `not ${word.slice(1)}` : word} <span aria-hidden="true">×</span>
        </button>
      ))}
      <input
        ref={input}
        className={style.input}
        role="combobox"
        aria-label="Add a filter"
        aria-expanded={offered.length > 0}
        aria-controls={list}
        {...(offered[at] && { "aria-activedescendant": `${list}-${at}` })}
        autoComplete="off"
        spellCheck={false}
        placeholder={
          words.length === 0
            ? "Filter: path:/api/login status:401 errors>=5, or paste a session, request or trace id"
            : ""
        }
        value={typed}
        onChange={(event) => type(event.target.value)}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={press}
      />
      <kbd className={style.hint} aria-hidden="true">
        /
      </kbd>
      {offered.length > 0 && (
        <ul className={style.offers} id={list} role="listbox" aria-label="Completions">
          {offered.map((offer, index) => (
            <li
              key={offer.text}
              id={`${list}-${index}`}
              role="option"
              aria-selected={index === at}
              className={index === at ? style.chosen : undefined}
              // Before the input loses the focus and the list with it.
              onPointerDown={(event) => {
                event.preventDefault();
                take(offer);
              }}
            >
              <span className="mono cut">{offer.text}</span>
              <span className="soft">{offer.about}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
