// Keys that work wherever nothing is being typed.
import { useEffect, useRef } from "react";

export interface Key {
  /** As `KeyboardEvent.key` names it. */
  key: string;
  /** For the help. */
  does: string;
  run: () => void;
}

const groups = new Map<string, Key[]>();

/** All keys that work now, for the help. */
export function keysNow(): [string, Key[]][] {
  return [...groups.entries()];
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select");
}

/** Makes `keys` work while the component is there; `group` is their heading in the help. */
export function useKeys(group: string, keys: Key[]) {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
    groups.set(group, keys);
  });
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      if (isTyping(event.target) || document.querySelector("dialog[open]") !== null) return;
      const found = latest.current.find(({ key }) => key === event.key);
      // Enter on a link or button is theirs.
      const own = event.key === "Enter" && event.target instanceof HTMLElement;
      if (!found || (own && event.target.matches("a, button, summary"))) return;
      event.preventDefault();
      found.run();
    };
    window.addEventListener("keydown", press);
    return () => {
      window.removeEventListener("keydown", press);
      groups.delete(group);
    };
  }, [group]);
}
