/** The one check that a run makes of itself: it stands above those of the suite in every verdict. */
export const WHOLE_RUN = {
  id: 'RUN-01',
  title: 'Every planned probe was sent and ended as planned',
} as const;
