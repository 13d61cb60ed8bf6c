"""Patterns of denials, suppositions and answers, made of the lexicon in `cues.toml`.

They are matched with words that are joined by single blanks, mostly at the beginning of what stands behind a mention.
"""

import re
from typing import Literal

from grader.cues import members, pattern

Status = Literal["asserted", "ruled out", "hypothetical", "superseded", "preventive"]
PREVENTIVE = re.compile(
    r"\b(?:to prevent|prevents?|preventing|in (?:the )?future|so that .{0,40} again|should (?:be|have|add|alert|check|fail)|"
    r"we will|will be|would have (?:caught|shown|found)|to avoid|to detect|to catch|add an? (?:alert|check|test|gate|assert\w*)|"
    r"guard against|in case of|protects? against)\b"
)
HEDGE = re.compile(
    r"\b(?:probably|likely|seems?|seemingly|appears?|apparently|presumably|i think|we think|i guess|we believe|i believe|"
    r"suggests?|arguably|in all likelihood|most likely|kind of|sort of|more or less|somehow|not sure|unsure)\b"
)
LEAD_OUT = pattern(
    r"\b(?:<excluded>|(?:it|this|that) (?:is|was) not$|not (?:the )?(?:\w+ )?<cause>|not <causal>$|"
    r"not (?:observed|found|seen|present|it|applicable|involved|supported)$|false positives?$|does not <explain>|red herrings?|dead ends?|blind alleys?|"
    r"(?:false|wrong) (?:leads?|tracks?|trails?|alarms?)|myths?|^(?:\w+ (?:and|but) )?<fine>$|^no$|^(?:unlikely|impossible|implausible|irrelevant|innocent|unfounded|improbable)$|(?:wrong|false) (?:<idea>)\b|(?:<idea>|explanations?|suspects?) (?:that )?<failed>$|nothing (?:to see|found|wrong with)$|did not hold(?: up)?$|no (?:<evidence>)(?: \w+)?|against|why not)\b"
)
LEAD_MAYBE = pattern(
    r"^(?:<early>) (?:<meant>)\b|\b(?:<idea>|h\d|suspected|assumed|thought|thought of|thought about|looked at|looked into|checked|possible|maybe|perhaps|considered|to check|to do|open|first stop)$|"
    r"^(?:possible|considered|initially|originally|early)\b|\?$"
)
LEFT_OVER = re.compile(
    r"\b(?:last|only|remaining|sole|surviving|final)(?: \w+)? (?:suspect|hypothesis|candidate|theory|explanation|one|idea)\b|"
    r"\b(?:remain(?:s|ing)?|left(?: over)?|else|(?:the|all) others?|rest|exclusion|elimination)\b"
)
PSEUDO = pattern(r"\b<phrases>(?!\w)")
ABILITY = pattern(r"\b<abilities>(?!\w)")
OPERATORS = tuple(
    (kind, pattern(rf"\b(?:{text})(?!\w)"))
    for kind, text in (
        ("not", r"<not>|no one|no|nor|nothing|none|nobody|nowhere|zero|not one|not a single|cannot"),
        ("without", r"without"),
        ("exclude", r"<exclude>"),
        (
            "against",
            r"(?:thing|one|point|candidate|cause|what)(?: that| which)? <person> (?:\w+ ){0,3}?<exclude>(?: \w+){0,4}? <be>",
        ),
        ("against", r"<against>"),
        ("mistake", r"mistaken? (?:this |it |that )?for|mistook(?: this| it| that)? for|confused? with"),
        ("doubt", r"<doubt>"),
        ("say", r"(?:we|i) (?:was|were|had been) told|(?:<people>|(?:^|, )who) (?:\w+ ){0,3}?<say>"),
        (
            "idea",
            r"(?:<early>|my|our|his|her|their|the|a|an|one|any|this|that|every) (?:\w+ )?<idea>|<early> (?:<meant>)|hypothesis",
        ),
        ("thought", r"<thought>"),
        ("look", r"<look>"),
        ("perhaps", r"<perhaps>"),
    )
)
NO = r"(?:<adverb> )*(?:<not>)(?: <adverb>)*"
END = r"(?= (?:by|because|as|since|after|when|for|from|in|via|with|through|at|on|too|soon)\b|$)"
# Predicates that deny their subject; at the beginning of a fragment, behind the subject.
DENYING = pattern(
    rf"(?:<adverb> )*(?:(?:<link>|<have> been|has|can be|could be)(?: <adverb>)* )?"
    rf"(?:(?<!^)(?:{NO}(?: <adverb>)*|no)$|"
    rf"{NO} (?!(?:the )?(?:only|just|main|sole|whole)\b)(?:(?:the|an?|any|our|my|this|to be|being|part of|really) )*(?!(?:kind|sort|type|first|last|new|small|big|minor|trivial|simple|recent|easy)\b)(?:(?:\w+ ){{0,2}}?(?:<cause>|<idea>)|<causal>)(?!\w)|{NO} to (?:be )?(?:find|see|found|seen|confirm|confirmed|prove|proven)\b|"
    rf"{NO} (?:<causal_end>)(?: <adverb>)*$)"
)
MODAL = pattern(
    rf"(?:<adverb> )*(?:<do>|can|could|may|might|will|would|<have>)(?: <adverb>)* (?:{NO} (?:(?:be|have been|been) )?(?:(?:the|an?) (?:\w+ )?<cause>|(?:<causal>)|(?:<causal_end>)$|<explain>(?!\w))|{NO}$)|"
    rf"(?:can|could) (?:{NO}) (?:it )?(?:be|have been)$|(?:has|have|had) (?:{NO} )(?:been )?(?:changed|moved|touched|altered|modified|happened|occurred|taken place)\b|(?:was|were) (?:{NO} )(?:changed|moved|altered|modified)\b|(?:can|could) not be (?:reproduced|confirmed|verified|shown|proven|proved|substantiated|established)\b|did (?:{NO}) (?:change|move)\b"
)
PLACE = pattern(rf"(?:<adverb> )*<be> (?:{NO} )in\b")
BAD = pattern(
    r"(?:<adverb> )*(?:(?:<link>|<have> been|(?:can|could|may|must|should|would)(?: <adverb>)* (?:be|have been)|(?:has|had|have) to be|(?:<be> )?found|(?:<be> )?declared)(?: <adverb>)* )(?:to be )?(?:<excluded>|<bad>|<fine>)(?! of (?:date|order|memory))(?!\w)|(?:<adverb> )*<failed>(?!\w)"
)
BARELY_BAD = pattern(rf"(?:<adverb> )*(?:<excluded>|<bad>|<fine>){END}")
PART = pattern(
    r"<have> not (?:an?|any) (?:\w+ )?(?:part|role|effect|influence|impact|share)\b|(?:<adverb> )*(?:had|has|have|plays?|played|took|takes|bears?|bore|is|was|are|were)(?: <adverb>)* (?:no|nothing|little)(?: \w+)? (?:part|role|effects?|influence|bearing|share|impact|resemblance|relation|to do|connection|link|in common|say|basis|business)\b|"
    r"(?:is |was |were )?never (?:was|were|happen(?:s|ed)?|exist(?:s|ed)?|occur(?:s|red)?|t(?:ook|akes) place|plays?|played|appl(?:ies|ied))\b|(?:<adverb> )*(?:<be>|has|have)(?: <adverb>)* (?:no|nothing of the|no such)(?: \w+)?(?: <adverb>)*$|(?:<be>) nothing but (?:an?|our|my)\b|(?:<be>|makes|did) none of\b|(?:<be>|turned out|proved) (?:to be )?(?:all )?nothing\b|led us nowhere|bears? (?:it|this|that) out"
)
FRONTED = pattern(
    r"<be> (?:the |among the )?\w+ to (?:exclude|rule out|dismiss|discard|eliminate|refute)\b|(?:it|this|that) (?:<be>|does|did) (?:<adverb> )*not$|(?:the )?<person> (?:(?:have|had|can|could|will|also|then|thus|might|may|did|<adverb>) )*(?:<exclude>|(?:not|never) (?:find|found|see|observe|have|detect|confirm|believe|saw|observed|seen|had|need)(?: <adverb>)*$|let fall|leave out|leave aside|skip|do not (?:have|see|find|believe))(?!\w)"
)
NEUTRAL_GOOD = pattern(
    rf"(?:(?:<be>|<have>) )?(?:{NO}) (?:been )?(?:wrong|incorrect|different|bad|changed|touched|modified|moved|altered)\b"
)
NEUTRAL_BAD = re.compile(
    r"(?:do|does|did) not (?:match|agree|fit|correspond)\b|(?:\w+ ){0,3}?(?:wrong|incorrect|not right|not correct)\b(?! (?:idea|lead|track|guess))"
)
CONFIRMED = pattern(
    r"(?:<adverb> )*(?:(?:it|this|that|which|he|she|i|we|they) )?(?:<adverb> )*(?:(?:<link>)(?: <adverb>)* )?(?:confirmed|accepted|proven|proved|borne out|vindicated|verified by|true|certain)(?! (?:wrong|false|to be))(?!\w)|"
    r"(?:<adverb> )*(?:it|this|that|which) (?:<adverb> )*(?:<be>|<do>|has|have|had)(?: <adverb>)*$|yes\b|indeed$|(?:it|that|this|there) (?:<be>) (?:the \w+ that\b|it|what it (?:is|was)|why|the (?:\w+ )?<cause>|the hit|the one)\b|there it (?:is|was)|"
    r"(?!.*\bnot\b)(?:\w+ ){1,4}(?:confirm(?:s|ed)?|prove[sd]?) (?:it|this|that|me right|us right|him right|her right)(?! to be)(?: <adverb>)*$|held up|(?:it )?(?:stands|survives|survived|remains|holds)(?: \w+)?$|(?:it )?found (?:it|one|some)$|"
    r"(?:<adverb> )*(?:rightly|justly|correctly|with good reason)\b|(?:\w+ ){1,4}leaves? no (?:choice|doubt|alternative|other)"
)
THEY_DO = pattern(r"(?:they|these|those) (?:<adverb> )*(?:are|were|do|did|have)(?: <adverb>)*$")
RIGHT = pattern(
    r"(?:<adverb> )*(?:(?:it|this|that|which|he|she|i|we|they) )?(?:<adverb> )*(?:(?:<link>)(?: <adverb>)* )?(?:right|correct|spot on)(?!\w)"
)
WRONGED = re.compile(r"\b(?:proved|proves|showed|proven) (?:us|me|them|him|her) wrong\b")
SUPPOSED = pattern(
    r"(?:<adverb> )*(?:<be>|<have> been)(?: <adverb>)* (?:(?:(?:only|just|merely) )?(?:my|our|his|her|their|the|an?|another|one of|one|among)(?: \w+){0,3} <idea>(?!\w)|(?:the|my|our) (?:first|initial|early|original|second)\b|the (?:fashionable|popular|easy|obvious|standard|usual|convenient|natural) (?:answer|explanation|suspect|thing)|(?:suspected|considered|tested|checked|investigated|discussed|blamed|examined|looked at|assumed|proposed|suggested|verified|compared|inspected|controlled|reviewed|mentioned|debated|studied|tempting)(?!\w))|"
    r"(?:<adverb> )*(?:checked|considered|suspected|tested|investigated|examined|compared|verified|inspected|controlled|looked at|possible|suspected by)(?!\w)|(?:<do>|has|had)? ?(?:cross(?:ed)? (?:my|our) minds?|come up|came up|comes? to mind|came to mind)|"
    r"(?:<adverb> )*(?:might|may)(?! not)\b(?! be (?:\w+ed|seen|shown|found|proven)\b)|could (?:<adverb> )*(?:be(?! (?:so|this|that)\b)|have|explain|cause|account|do (?:this|that|it)|produce|lead|make|give|look)\b(?! (?:\w+ed|seen|shown|found|proven)\b)|(?:<be> )?(?:<adverb> )*(?:in (?:my |our )?mind|on (?:the|our|my) (?:\w+ )?(?:list|table|whiteboard)|under suspicion|as an? (?:<idea>))(?!\w)|(?:<link>) (?:<adverb> )*(?:likely|plausible|attractive|promising|tempting|possible|probable|a (?:good|possible|plausible|tempting|likely) \w+)(?!\w)|"
    r"(?!nobody|no one)(?:<person>) (?:\w+ )?(?:suspected|checked|looked|tested|thought|considered|had in mind|investigated)"
)
WOULD = pattern(
    r"(?:<adverb> )*(?:(?:would|might|may)(?! (?:not|never)\b)|(?:should|must|had to)(?= (?:be (?:visible|seen|there)|show)))\b"
)
PERSON = pattern(r"\b<person>(?!\w)")
SUBJECT = pattern(r"(?:(?:<pronoun>|(?:(?:the|this|that|my|our) )?(?:\w+ )?<idea>|the rest|result|results) )?")
# Answers of later fragments.
ANSWER = pattern(
    r"(?:<adverb> )*(?:no|nope|nah|none|never|negative|nothing|false|nil|wrong|failed|ditto|n a)(?: <adverb>)*$|no (?:changes?|differences?)$|(?:i|we) (?:think|guess|believe|suppose|am afraid) not$|(?:no|0|zero|without|little|not any|nothing of the|no such)(?: <adverb>)*(?:(?: (?!(?:\w+ )?(?:problems?|issues?)\b)\w+)?(?: <evidence>| kind| sort)| problems?| issues?)(?! (?:was|were|is|are|has|have|in)\b)(?!\w)|"
    r"nothing(?: <adverb>)* (?:found|unusual|suspicious|to see|like it)|(?:so |also )?not (?:<adverb> )*(?:it|so|the case|this|that|either|me|different|(?:the|a|our) (?:(?:root|real|main|actual|true) )?<cause>(?= |$)|<causal>|supported|observed|confirmed|found)(?!\w)|"
    r"there (?:<be>|seems? to be)(?: <adverb>)* (?:none|nothing|not(?: any| one)?$|no such|no <evidence>)|"
    r"(?:<person> )?(?:\w+ )?(?:found|saw|see|find|got|gave|showed|revealed|changed|brought|helped|proves|proved)(?: <adverb>)* (?:none|nothing|neither|no such \w+)|nothing (?:changed|happened|came of it|was found|there)$|"
    r"(?:<person> )?(?:\w+ )?(?:<do>|can|could) not (?:<adverb> )*(?:find|see|detect|observe|confirm|reproduce|prove|spot|verify)(?: (?:it|any|one|them|anything|this|that|him|such \w+|any \w+))?(?: <adverb>)*$|"
    r"(?:<person> )(?:<be>|am|have been)(?: <adverb>)* (?:wrong|mistaken|not right|not correct|incorrect)(?!\w)|<person> (?:<be>|<do>|have|had|can|could|am) not(?: <adverb>)*$|"
    r"(?:<person> )?(?:(?:have|had|can|could|will|<be>) )*(?:\w+ly )?(?:<exclude>|gave up) (?:it|this|that|them|him)(?!\w)|<person> (?:do not agree|disagree|would have lost)|(?:lost|scratch|forget|strike) (?:it|that|them)$|the same(?: \w+)?$|same (?:latency|result|results|picture|behaviour|hash|order|numbers|values?|output|version)$|same (?:\w+ ){1,3}(?:on|in|both|everywhere)\b|"
    r"(?:\w+ ){1,3}(?:says?|said|saying|show|shows|showed) (?:no|otherwise|other thing|the opposite|the contrary|another story|different)(?!\w)|"
    r"(?:in vain|to no avail|without (?:success|result|reason|effect|finding)|for nothing|of no use|nothing of the kind)(?!\w)"
)
# Openings whose complement reaches over every clause behind it, up to a contrast.
FRAMES: tuple[tuple["re.Pattern[str]", Status], ...] = (
    (
        pattern(
            r"\b(?:(?:<not>|nobody|no one|nothing)(?: \w+){0,3}? (?:(?:the )?<cause>|true|false|believe|think|find|see|show|prove|confirm|say|claim|suggests?|shows?|indicates?|supports?|proves?|hints?)|"
            r"<exclude>|<excluded>|(?<!not )(?<!no )(?<!will )(?<!would )(?<!can )(?<!could )<doubt>|false|untrue|wrong|incorrect|unlikely|impossible|implausible|inconceivable|improbable|(?:no|any|little) (?:\w+ )?<evidence>(?: \w+){0,2}) (?:that|to say)\b"
        ),
        "ruled out",
    ),
    (
        pattern(
            r"\b(?:(?:might|may|could|can) (?:well |also )?be that|(?:is|was) (?:possible|conceivable|thinkable) that|if it (?:turns|turned) out that|"
            r"(?<!no )(?:suspect|wonder|guess|suppose|imagine|speculate)(?:s|d|ed)? (?:that|whether|if)|not (?:clear|known|certain|sure) (?:that|whether|if))\b"
        ),
        "hypothetical",
    ),
    (
        pattern(
            r"\b(?:at first|initially|originally|first|wrongly|mistakenly) (?:\w+ ){0,3}?(?:thought|believed|assumed|suspected|guessed|supposed|said|concluded) that\b"
        ),
        "superseded",
    ),
)
CONTRAST = re.compile(r", (?:but|yet)\b|\b(?:however|in fact|actually)\b|;")
CUT_OFF = frozenset(
    (
        "because",
        "since",
        "as",
        "when",
        "if",
        "until",
        "before",
        "after",
        "while",
        "whereas",
        "where",
        "though",
        "although",
        "unless",
        "for",
    )
)
NEUTRAL = members("neutral")
FAULTS = members("faults")
STALE = frozenset(("wrong", "stale", "old", "incorrect", "bad", "different", "other", "outdated"))
DEFINITE, ONLY = members("definite"), frozenset(("only", "just", "merely", "simply"))
CLAUSAL = members("finite") | frozenset(("we", "they", "i", "he", "she", "it", "there", "nobody"))
EPISTEMIC, PRESUPPOSING = members("epistemic"), members("presupposing")
HEAD = pattern(
    r"(?:(?:problems?|issues?|trouble|bug|errors?|thing|fault|handling|diagnosis|logic|code|setting|computation|stuff|business|situation|effects?|scenario|question|side|matter|as (?:the )?(?:reason|cause|explanation)|as an explanation|here|anywhere) )*((?:<idea>|explanation|lead|answer|story) )?"
)
MODIFIER = re.compile(r"(?:in|of|on|at|for|with|between|from|by|as|that|to)\b")
NEAR = 3
"""Words from a mention within which a comma or `and` stands directly before it, articles included."""
LONGEST_HEADING = 6
"""Words of a heading that is read as a whole; of a longer one the last part counts."""
LONGEST_NAME, LONGEST_TOPIC, LONGEST_MODIFIER = 4, 3, 9
"""Words of the longest name in a row of names, before a mention that opens a clause, and between it and its predicate."""
MATCHED = pattern(r"(?:<adverb> )*<matched>(?: <adverb>)*(?: (?:on|in|both|one|exactly|the training|training)\b|$)")
SOUND = re.compile(
    r"(?:the |all )?(?:\w+ ){1,3}(?:(?:is|are|was|were|looks?|works?|worked) )?(?:ok|okay|fine|correct|clean|good|in order|identical|equal|idle|as designed|as expected|as it should be|match|matches)$"
)
"""The only remark on a suspect in a list, which says that something is in order: `wrong join: keys are fine`."""
VERDICT = re.compile(r"\b(?:result|verdict|status|conclusion|outcome|finding|answer)$")
RIGHTLY = pattern(r"(?:<adverb> )*(?:justly|correctly|with good reason)\b|rightly\b")
APPOSED = pattern(r"(?:my|our|the|his|her|their) (?:\w+ ){0,2}<idea>$")
ASIDE = r" , (?!(?:an?|the|no|not|nor|or|and) )(?:\w+ ){1,8}, "
OUTRIGHT = pattern(
    r"(?:the )?(?:\w+ ){1,3}(?:says?|said) (?:no|otherwise|not so)$|(?:the )?(?:\w+ ){0,3}(?:points? elsewhere|tells? (?:another|a different) story|says? otherwise|speaks? (?:a different|another) language)|"
    r"(?:it|this|that|which) (?:is|was) not (?:the|our) (?:\w+ )?<cause>$|(?:it|this|that|which) (?:is|was|proved|turned out) (?:to be )?(?:false|wrong|untrue|not right|incorrect)$|not (?:guilty|responsible|to blame|the cause|involved)$|"
    r"(?:it|this|that|they) did not (?:happen|occur|exist|apply)\b|not (?:in|for|with|of) (?:this one|this case|ours?)$|(?:(?:it|that|this)(?: one)? )?(?:came to nothing|led nowhere|went nowhere|fell apart|collapsed)\b|"
    r"(?:<adverb> )*(?:(?:i|we) (?:think|believe|know) )?(?:that )?(?:it|this|that|which|they|these|those|he|she) (?:<adverb> )*(?:<be>|<do>|has|have|can|could)(?: <adverb>)* not(?: <adverb>)*(?: (?:it|so|true|right|the case|correct|that|this|be|one|responsible|guilty|to blame|involved))?(?: <adverb>)*$|"
    r"(?:<person> )?(?:(?:have|had|can|could|will) )?(?:\w+ly )?(?:<exclude>) (?:it|this|that|them)(?: (?:idea|theory|one|thought|hypothesis|aside|out|off))*(?!\w)|<person> (?:set|put|left|crossed|ruled|struck|took) (?:it|this|that|them) (?:aside|out|off)"
)
CONTRASTED = pattern(r"<be> (?:\w+ )?\w+ ?[ ,;]*(?:but|and|while|whereas)?$")
PARTICLE = re.compile(
    r"\b(?:rul(?:e|es|ed|ing)|cross(?:es|ed|ing)?|str(?:ike|ikes|uck)|leav(?:e|es|ing)|left|count(?:ed)?|wr[io]te|set|put|took|tak(?:e|es|en|ing)|tick(?:ed)?|gave|give|shot|let)(?: (?:a|an|the|this|that|our|my))?$"
)
TOPIC = frozenset(("from", "with", "about", "for", "of", "regarding", "concerning", "as", "in", "against", "on"))
TOPIC_DENIED = pattern(
    r"(?:there|it|this|that|they|<person>) (?:<adverb> )*(?:<be>|<have>)(?: <adverb>)* (?:no|nothing|none|not)\b|(?:<person> )(?:(?:have|had|can|could|did|do|<adverb>) )*(?:not (?:find|found|see|seen|have)|(?:find|found|see|saw|have|had|know) (?:no|none))\b"
)
INVERTED = re.compile(r"(?:had|were) (?:it|this|that|there|they|we|i|you)\b(?! not)|(?:had|were|should)(?: an?| the)?$")
WHY = re.compile(r"why (?:not?|so|did|was|were|is|are|do|does)\b.* :$")
ANYTHING = re.compile(r"(?<!not )(?<!not be )\b(?:is|was|be|are|were|this|it) (?:all )?anything but$")
SPLIT_CUE = re.compile(r"\bnot (?:be |been )?because \| of\b|\bso \| much for\b")
COUNTERFACTUAL = re.compile(r"\b(?:would|could|can not|not|never|impossible)\b")
COMMITTING, RAISING = members("committing"), members("raising")
MODALS = members("modal")
UNVERBAL = frozenset(("everything", "nothing", "something", "anything", "during", "morning", "evening", "following"))
PREDICATING = members("predicating")
UNNAMING = members("not") | {"no", "nothing", "none", "you", "so", "which", "everything", "all", "me", "us"}
OTHER = re.compile(r"(?:other|different|another|wrong|new|not)\b")
OTHERS = re.compile(r"(?:it|this|that|which) (?:is|was) (?:dead|gone|over|out) (?:of|with|now)\b")
PAST_DENIED = pattern(
    r"(?:<adverb> )*(?:was|were|did|had|has|have|can(?= not (?!be\b))|could(?= not (?!be\b))) (?:<adverb> )*(?:<not>)(?: <adverb>)* (?:been )?(\w+)"
)
UNSEEN = members("unseen")
RUMOUR = pattern(r"\b(?:is|was) (?:the|an?|just|only|our|my) (?:\w+ )?<idea>\b")
FACTIVE = re.compile(
    r"^(?:\w+ )?(?:(?:see|saw|know|knew|notice|noticed|realise|realised|realize|realized|understand|understood|remember|mind|forget|tell|told) that|(?:see|know|say|tell|explain|understand) (?:for certain )?(?:when|why|how|who|where))\b|\b(?:clear|obvious|evident)\b.*\b(?:first|immediately|initially|sooner|earlier|then)\b.*\bthat\b"
)
OF_NAMES = frozenset(("look", "idea", "doubt", "say"))
"""Kinds of cues that bear on the name of a cause; of other words they tell what was done with them."""
DOUBTING = members("doubting")
EVIDENCE = pattern(r"\b<evidence>(?!\w)")
TIED = re.compile(r"not (?:matter|exist|happen|occur|arise|apply|appear)$")
TYING = frozenset(("for", "before", "until", "when", "after", "while", "as"))
IDEA = pattern(r"\b<idea>(?: \d+)?$")
AUXILIARY = frozenset(
    ("did", "do", "does", "have", "has", "had", "can", "could", "will", "would", "ever", "really", "even")
)
NPI = frozenset(("any", "anything", "evidence", "sign", "signs", "indication", "trace", "proof", "hint"))
"""Words that show how far a denial reaches."""
OPEN = pattern(rf"(?:can|could) (?:{NO} )(?:yet )?be (?!denied)<excluded>(?!\w)")
CERTAIN = frozenset(("convinced", "certain", "clear", "proven", "established", "evident"))
SINGULAR = frozenset(("is", "was", "does", "has"))
PERCEIVED = frozenset(("found", "find", "seen", "saw", "see"))
WH = frozenset(("why", "how", "who", "when", "where", "which"))
