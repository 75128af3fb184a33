/**
 * Closed-class words of English, normalised: articles, pronouns, prepositions, conjunctions, auxiliaries, question
 * words and the adverbs that go with them. Words of quantity and negation that change what a question asks
 * ("no", "not", "first", "most") are left out on purpose.
 */
export const stopWords: ReadonlySet<string> = new Set(
  `a an the this that these those such same other another each every either neither both some any
  i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her hers
  herself it its itself they them their theirs themselves one ones
  who whom whose which what when where why how whether
  of in on at by for with from to into onto upon about against between among through during before after above below
  under over across within without toward towards via per than as like unlike off out up down since until till
  and or but nor so yet if then else because although though while whereas unless
  am is are was were be been being do does did doing done have has had having can could may might must shall should
  will would ought
  there here now just also only very too quite rather ever again further more much many own else however therefore thus
  hence i'm you're he's she's it's we're they're i've you've we've they've isn't aren't wasn't weren't don't doesn't
  didn't hasn't haven't hadn't can't couldn't won't wouldn't shouldn't what's who's where's how's that's there's let's
  etc eg ie please tell give say says said`.split(/\s+/),
);
