import type zh from './work.zh'

const en: typeof zh = {
  title: 'Work',
  status: 'State',
  history: 'History',
  none: 'No work yet',
  states: { new: 'New', investigating: 'Investigating', confirmed: 'Confirmed', dismissed: 'Dismissed' },
  moveTo: { new: 'Back to new', investigating: 'Investigate', confirmed: 'Confirm clone', dismissed: 'Dismiss' },
  again: 'Investigate again',
  reason: 'Reason',
  reasonNone: 'Not given',
  reasons: {
    stopped: 'Stopped on the road', photos: 'Photos compared', owner: 'Owner confirmed', misread: 'Misread plate', clock: 'Camera clock wrong',
    plate_types: 'Two lawful plate types', fast: 'Normal driving', other: 'Other',
  },
  note: 'Note',
  noteHint: 'Grounds, next steps, contacts…',
  noteNeeded: 'Enter a reason for investigating again',
  addNote: 'Add note only',
  by: 'Handled by',
  byHint: 'Name or badge number',
  byNeeded: 'Enter your name',
  saved: 'Saved',
  noted: 'added a note',
}

export default en
