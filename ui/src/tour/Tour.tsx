// The story of grouping as a tour through the pages: one address, one key rule, what it changes.
// Every figure is what the service answers now.
import { useEffect, type ReactNode } from "react";
import { Link } from "../app/Link";
import { go, setQuery, usePlace } from "../app/router";
import { Evidence } from "./Evidence";
import { Rules } from "./Rules";
import { Labels } from "./Labels";
import { after, byAddress } from "./story";
import { STEPS, withStep } from "./step";
import { useTold, useWorst, type Told } from "./data";
import style from "./Tour.module.css";

interface Step {
  title: string;
  /** The page that shows it. */
  page: string;
  text: ReactNode;
}

export default function Tour({ step }: { step: number }) {
  const told = useTold();
  const address = told.place?.address ?? null;
  const worst = useWorst(address, told.lump?.session);
  const steps = stepsOf(told, worst);
  const here = steps[step - 1];
  // Until then nobody knows where the next step leads.
  const isPending = told.isPending || worst.isPending;
  useRightPage(step, here?.page, isPending);
  const end = () => setQuery({ tour: null }, { replace: true });
  const to = (next: number) => withStep(steps[next - 1]?.page ?? "/sessions", next);
  if (!here) return null;
  return (
    <aside className={style.tour} aria-label="Tour">
      <header className={style.head}>
        <h2>{here.title}</h2>
        <span className="soft">
          {step} of {STEPS}
        </span>
      </header>
      <div className={style.text} aria-live="polite">
        {told.error !== null ? (
          <p className="bad">
            {told.error.message} The tour needs the service's answers; it asks again by itself.
          </p>
        ) : told.isPending ? (
          <p className="quiet">Asking the service …</p>
        ) : (
          here.text
        )}
      </div>
      <footer className={style.foot}>
        <button
          type="button"
          className="button"
          disabled={step === 1}
          onClick={() => go(to(step - 1))}
        >
          Back
        </button>
        {step < STEPS && isPending ? (
          <button type="button" className="button main" disabled>
            Next: {steps[step]?.title}
          </button>
        ) : step < STEPS ? (
          <Link className="button main" to={to(step + 1)}>
            Next: {steps[step]?.title}
          </Link>
        ) : (
          <button type="button" className="button main" onClick={end}>
            Done
          </button>
        )}
        <button type="button" className="button" onClick={end}>
          End the tour
        </button>
      </footer>
    </aside>
  );
}

function stepsOf(told: Told, worst: ReturnType<typeof useWorst>): Step[] {
  const { place, lump } = told;
  const list = (more: string) =>
    place === null
      ? "/sessions"
      : `/sessions?q=${encodeURIComponent(`ip:${place.address}${more}`)}`;
  const { verdict } = worst;
  const session = verdict === undefined ? list("") : `/sessions/${verdict.subject}`;
  const shown = verdict?.evidence[0]?.records.at(-1);
  const request =
    verdict !== undefined && shown?.session === verdict.subject ? `?at=${shown.record_id}` : "";
  return [
    {
      title: "By address",
      page: list(""),
      text: (
        <p>
          {byAddress(place, lump)}
          {place !== null && lump?.address === place.address && (
            <>
              {" "}
              It was <Link to={`/sessions/${lump.session}`}>one session</Link> until a rule told
              them apart.
            </>
          )}
        </p>
      ),
    },
    {
      title: "The rule",
      page: "/setup",
      text: <Rules address={place?.address ?? lump?.address ?? null} />,
    },
    {
      title: "After it",
      page: list(place !== null && place.bots > 0 ? " has:verdict" : ""),
      text: <p>{after(place)}</p>,
    },
    { title: "The evidence", page: `${session}${request}`, text: <Evidence worst={worst} /> },
    { title: "Your word", page: session, text: <Labels verdict={verdict} /> },
  ];
}

/** A link that names a step only, as `/sessions?tour=3`, leads to that step's page. */
function useRightPage(step: number, page: string | undefined, isPending: boolean) {
  const { path, query } = usePlace();
  const isBare = path === "/sessions" && query.size === 1;
  useEffect(() => {
    if (isBare && !isPending && page !== undefined && page !== "/sessions") {
      go(withStep(page, step), { replace: true });
    }
  }, [isBare, isPending, page, step]);
}
