/** The file of a full plan: docs/plan-format.md. */
export { openPlan, type Plan } from './open-plan.ts';
export { encodePlan } from './plan-records.ts';
