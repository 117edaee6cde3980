// A changed profile, held against what is stored: who would newly be flagged, who no longer.
import { useQuery } from "@tanstack/react-query";
import { Link } from "../../app/Link";
import type { CurrentPolicy } from "../../api/schema";
import { Bones, Failed } from "../../parts/State";
import { policyQuery } from "../../setup/data";
import { ProfileCards } from "../../setup/ProfileCards";
import { useDraft } from "../../setup/useDraft";
import style from "./Backtest.module.css";
import { backtestQuery } from "./data";
import { Outcome } from "./Outcome";

export default function BacktestTab() {
  const policy = useQuery(policyQuery);
  if (policy.isError && !policy.data) {
    return <Failed error={policy.error} retry={() => void policy.refetch()} />;
  }
  if (!policy.data) return <Bones rows={12} label="Profiles are loading" />;
  return <Backtest key={policy.data.version} current={policy.data} />;
}

function Backtest({ current }: { current: CurrentPolicy }) {
  const draft = useDraft(current);
  const judged = useQuery(backtestQuery(draft.text));
  const isOld = judged.data !== undefined && judged.data.text !== draft.text;
  return (
    <div className={style.columns}>
      <div className={style.profiles}>
        <ProfileCards draft={draft} />
      </div>
      <section className={`panel ${style.outcome}`} aria-label="What it would change">
        <header className={style.head}>
          <button
            type="button"
            className="button main"
            disabled={!draft.isChanged || draft.document === null || judged.isFetching}
            onClick={() => void judged.refetch()}
          >
            {judged.isFetching ? "Both are judging…" : "Judge what is stored"}
          </button>
          {draft.isChanged && (
            <Link className="button" to="/setup/policy">
              See it and make it the policy
            </Link>
          )}
        </header>
        {judged.isError && !judged.isFetching && <Failed error={judged.error} />}
        {judged.data && !(judged.isError && isOld) ? (
          <Outcome found={judged.data.answer} isOld={isOld} />
        ) : judged.isFetching ? (
          <Bones rows={8} label="Both profiles are judging" />
        ) : (
          !judged.isError && <Before isChanged={draft.isChanged} />
        )}
      </section>
    </div>
  );
}

/** What one can do here, before one has. */
function Before({ isChanged }: { isChanged: boolean }) {
  return (
    <div className={style.before}>
      <h2>{isChanged ? "Not judged yet" : "Nothing is changed yet"}</h2>
      <p className="soft">
        {isChanged
          ? "Judge what is stored by it: you see whose verdict would change."
          : "Set a limit, a detector or an exception beside this, then see whose verdict it would change."}
      </p>
      <p className="soft">
        Detection judges the latest 200,000 requests twice, by the profiles in force and by yours.
        Nothing becomes the policy by that.
      </p>
    </div>
  );
}
