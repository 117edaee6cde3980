// How each application is watched for bots: sensitivity, detectors, limits, and whom to leave alone.
import { useQuery } from "@tanstack/react-query";
import { Link } from "../app/Link";
import type { CurrentPolicy } from "../api/schema";
import { Bones, Failed, Notice } from "../parts/State";
import { policyQuery } from "./data";
import { ProfileCards } from "./ProfileCards";
import style from "./Setup.module.css";
import { useDraft } from "./useDraft";

export function DetectionTab() {
  const policy = useQuery(policyQuery);
  if (policy.isError && !policy.data) {
    return <Failed error={policy.error} retry={() => void policy.refetch()} />;
  }
  if (!policy.data) return <Bones rows={10} label="Profiles are loading" />;
  return <Profiles key={policy.data.version} current={policy.data} />;
}

function Profiles({ current }: { current: CurrentPolicy }) {
  const draft = useDraft(current);
  return (
    <div className={style.list}>
      {draft.isChanged && (
        <Notice tone="warn">
          Not in use yet: what you changed is in the text of the policy.{" "}
          <Link className="button" to="/bots/backtest">
            Whom would it change?
          </Link>{" "}
          <Link className="button" to="/setup/policy">
            See it and make it the policy
          </Link>
        </Notice>
      )}
      <ProfileCards draft={draft} />
    </div>
  );
}
