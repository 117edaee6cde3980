// The tour is where the URL says `tour=1` to `tour=5`; its code is loaded then.
import { lazy, Suspense } from "react";
import { usePlace } from "../app/router";
import { stepOf } from "./step";

const Tour = lazy(() => import("./Tour"));

export function TourHost() {
  const { query } = usePlace();
  const step = stepOf(query.get("tour"));
  if (step === null) return null;
  return (
    <Suspense fallback={null}>
      <Tour step={step} />
    </Suspense>
  );
}
