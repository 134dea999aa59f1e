import type zh from './purpose.zh'

const en: typeof zh = {
  title: 'Purpose',
  ofCase: 'Purpose for this vehicle',
  why: 'Say why you look at plates. The purpose is written to the audit log with what you do.',
  onceSession: 'It holds for this session; you can change it at any time.',
  onceCase: 'It holds for this suspect vehicle; for another one you are asked again.',
  optional: 'You may leave it out.',
  code: {
    warning: 'Checking an alert',
    case: 'Criminal case',
    accident: 'Accident',
    complaint: 'Complaint',
    patrol: 'Patrol',
    maintenance: 'Maintenance',
    test: 'Test or exercise',
    other: 'Other',
  },
  reason: 'Purpose',
  text: 'Details',
  textHint: 'Case or incident number, or a few words',
  codeNeeded: 'Choose a purpose',
  textNeeded: 'Enter details for “Other”',
  confirm: 'OK',
  cancel: 'Cancel',
  take: 'Clear',
  none: 'not given',
  short: 'Purpose',
  change: 'Change',
  enter: 'Enter a purpose',
  needed: 'No purpose given yet',
  neededWhy: 'You need to give a purpose to see this.',
}

export default en
