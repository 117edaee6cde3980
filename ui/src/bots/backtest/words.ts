import type { BacktestAnswer, Changed } from "../../api/schema";
import { count, plural } from "../../words/number";

/** Whose verdict would change, as a sentence. */
export function sum({ newly, no_longer: gone, still }: BacktestAnswer): string {
  const stay = `${count(still)} ${still === 1 ? "stays" : "stay"} as ${still === 1 ? "it is" : "they are"}`;
  if (newly.count + gone.count === 0) return `Nobody's verdict would change; ${stay}.`;
  return `${capital(subjects(newly))} would newly be flagged, ${subjects(gone)} no longer; ${stay}.`;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** Sessions, and whatever else is flagged with them. */
function subjects({ count: all, sessions }: Changed): string {
  if (all === 0) return "nobody";
  const others = all - sessions;
  const rest = others > 0 && plural(others, "user or address", "users and addresses");
  return [sessions > 0 && plural(sessions, "session"), rest].filter(Boolean).join(" and ");
}
