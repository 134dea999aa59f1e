/** What stands in the window: the page, or what comes before it. */
import type { Session } from '@/api/types'

export type Stage = 'asking' | 'login' | 'password' | 'page'

/** `asked`: the server answered, or could not be asked. Without a session the page itself then says what is wrong. */
export function stageOf(session: Session | null, asked: boolean): Stage {
  if (!session) return asked ? 'page' : 'asking'
  if (session.access === 'login' && !session.user) return 'login'
  return session.user?.must_change ? 'password' : 'page'
}
