//! English, and what is the same in every language.

use super::{Concept::*, Entries};

pub(super) const ENTRIES: &[Entries] = &[
    (
        Override,
        "ignore|ignoring|disregard|disregarding|forget|override|overrides|discard|neglect|overlook|cancel|void|nullify|abandon|erase|wipe|suspend|supersede|supersedes|set aside|put aside|throw away|throw out|pay no attention to|do not follow|don't follow|dont follow|stop following|do not obey|don't obey|do not comply with|don't comply with|no longer follow|no longer apply|no longer applies|do not apply|does not apply|don't apply|is void|are void|are suspended|are cancelled|are canceled|are revoked|are lifted|are deprecated|instead of following|unlearn|let go of|never mind|nevermind|takes precedence over|take precedence over|supplants|replaces|overridden|superseded",
    ),
    (
        Drop,
        "skip|delete|clear|reset|drop|deactivate|disable|turn off|switch off|remove|lift|suspend|cancel|stop applying|stop enforcing|relax|loosen",
    ),
    (
        Bypass,
        "bypass|bypasses|bypassing|circumvent|circumventing|get around|work around|evade|evading|sidestep|break free|break out|jailbreak yourself|escape",
    ),
    (
        Prior,
        "previous|previously|prior|above|earlier|preceding|before this|before now|past|existing|original|initial|so far|up to now|until now|current|old|foregoing|aforementioned|first|former|received|given before|you were given|you have been given|you've been given|you were told|you have been told|you've been told|you got|established|provided|predefined|pre-defined|preset|default|programmed",
    ),
    (Everything, "everything|anything|all|any|every|all of the|all of your|all your|whatever|the entire|entire"),
    (
        Instructions,
        "instruction|instructions|instructed|rules|rule|guidelines|guideline|directive|directives|commands|prompts|prompt|orders|constraints|restrictions|limitations|programming|training|directions|regulations|principles|policies|boundaries|protocols|parameters|context|told|conditioning|order",
    ),
    (
        Yours,
        "your|you were given|you have been given|you've been given|you were told|you have been told|you've been told|you received|you have received|you got|given to you|you know|you learned|you learnt|system|developer|operator|operators|the ai's|the assistant's|the model's",
    ),
    (
        Safety,
        "safety|guardrail*|guard rail*|safeguard*|content policy|content policies|content filter*|content restriction*|filters|filter|moderation|ethical guidelines|ethics|ethical|moral*|censorship|alignment|security policy|security policies|security restrictions|security measures|usage policies|usage policy|openai polic*|restrictions|safety rules|confidentiality|privacy rules|protections",
    ),
    (
        SystemPrompt,
        "system prompt*|systemprompt|system message*|system instruction*|sys prompt|initial prompt|initial instruction*|original prompt|original instruction*|hidden prompt|hidden instruction*|hidden rules|secret instruction*|secret prompt|secret rules|developer message|developer prompt|developer instruction*|pre-prompt|preprompt|pre prompt|preamble|your instructions|your prompt|your prompts|your exact instructions|your full instructions|your configuration|your rules|your guidelines|your directives|your internal|your initial|your hidden|your secret instructions|your context window|your system|your custom instructions|custom instructions|internal instruction*|internal prompt|internal guidelines|internal rules|confidential instruction*|base prompt|master prompt|core instructions|underlying instruction*|instructions you were given|instructions you have been given|instructions you received|instructions given to you|instructions that you were given|prompt you were given|rules you were given|rules you follow|rules you must follow|how you were configured|how you were instructed|what you were told|what were you told|meta prompt|metaprompt|operator prompt|operator instructions|private instructions",
    ),
    (
        Above,
        "text above|words above|everything above|all above|content above|sentences above|the above text|the above words|the above content|the above instructions|prompt above|conversation above|lines above|message above|before this message|before this line|before this point|preceding this|first message|previous text|previous message|previous prompt|prior text|from the top|from the start|the beginning of this conversation|beginning of the conversation|start of the conversation|start of this conversation|beginning of our conversation|first line of|first words of|prior to this message|came before",
    ),
    (
        Reveal,
        "reveal|reveals|show|showing|print|prints|repeat|output|display|tell|leak|expose|dump|disclose|recite|write out|write down|write|list|share|give|return|echo|spell|summarize|summarise|translate|copy|paste|state|provide|quote|type out|read out|read back|read me|regurgitate|transcribe|reproduce|paraphrase|describe|what is|what's|whats|what are|what were|what was|convert|encode|render|send me|let me see|i want to see|i need to see|can i see|may i see|divulge|surface|append|include|enumerate|respond with|reply with|answer with|confess|report back|put your|place your",
    ),
    (
        Verbatim,
        "verbatim|word for word|word-for-word|exactly as|in full|in its entirety|code block|code fence|codeblock|markdown block|without changes|unmodified|character by character|letter by letter|starting with \"you are|beginning with \"you are|starting with 'you are|starting with you are|begin with \"you are|exact text|exact wording|exact words|full text|complete text|without omitting|without leaving out|no omissions|raw text|triple backticks|txt code block|don't leave anything out",
    ),
    (
        Role,
        "you are now|you're now|act as|acts as|acting as|pretend|pretend to be|pretending|roleplay|role-play|role play|roleplaying|simulate|simulating|imagine you|imagine yourself|imagine that you|assume the role|assume the identity|take on the role|take the role|take on the persona|adopt the persona|adopt the role|behave as|behave like|respond as|answer as|speak as|talk as|reply as|you will be|you will play|you will act|you are going to be|you're going to be|you are going to act|you are going to play|play the role|play the part|play as|be my|become|becoming|impersonate|emulate|embody|transform into|switch to|switch into|enter|activate|enable|boot into|unlock|engage|stay in character|break character|in character|your name is|you are called|persona|alter ego|character named|named|new identity|you are a|you are an|you are|channel the|immerse yourself|step into",
    ),
    (
        FromNowOn,
        "from now on|from this moment|from this point|from here on|henceforth|going forward|starting now|as of now|for the rest of this conversation|for the remainder|from this message on|for all future|in all future|in every future|in all subsequent|for every question|for every prompt|until i say|for each of my|hereafter",
    ),
    (
        Unrestricted,
        "unrestricted|unfiltered|uncensored|unlimited|unbound|unbounded|unaligned|unmoderated|unchained|unshackled|no restrictions|no restriction|without restrictions|without restriction|without any restriction*|no limits|no limit|no limitations|without limits|without limitations|without any limit*|no filter|no filters|without filter*|without any filter*|without a filter|no rules|without rules|without any rules|no guidelines|without guidelines|no boundaries|without boundaries|no censorship|without censorship|no ethics|no ethical|without ethics|without ethical|without any ethical|no morals|no moral|without morals|without moral|no safety|without safety|no safeguards|without safeguards|no guardrails|without guardrails|no constraints|without constraints|amoral|unethical|immoral|freed from|free from all|free from any|free from the|free of restrictions|free of all|free of any|free of the|broken free|broke free|no longer bound|not bound by|not bound to|no longer restricted|no longer limited|not restricted|not limited by|not constrained|no longer constrained|do anything now|can do anything|do anything i|does anything|say anything|answer anything|answers anything|generate anything|any request|any and all|anything i ask|anything the user|bypass all|no content polic*|no policies|does not care about|do not care about|don't care about|doesn't care about|not have any restrictions|have no restrictions|do not have to abide|don't have to abide|do not need to follow|don't need to follow|do not have to follow|don't have to follow|no longer have to|need not adhere|not adhere|ignores all|no matter how|regardless of legality|regardless of how|regardless of whether|completely free|total freedom|complete freedom|rebellious|evil|malicious assistant|opposite of|doesn't follow|does not follow|restrictions are lifted|restrictions lifted|restrictions do not apply|rules do not apply|rules don't apply|without warning*|limitless|boundless|without limits|unhinged|irresponsible|unethically|inappropriate character|without remorse|no remorse|safety protocols disabled|protocols disabled|safety disabled|filters disabled|restrictions disabled|disabled all|not apply here|do not apply in this case|does not apply in this case|not meant for this case|were not meant for|comply fully|answer without|respond without|speak freely|raw and uncut|no taboo*|anything goes",
    ),
    (
        Persona,
        "developer mode|dev mode|debug mode|debugging mode|god mode|admin mode|administrator mode|maintenance mode|diagnostic mode|sudo mode|root mode|test mode|training mode|override mode|jailbreak mode|jailbroken|jailbreak|unrestricted mode|unsafe mode|opposite mode|evil mode|dan mode|anti-dan|dan|unlocked mode|expert mode unlocked|service mode|safe mode off|chaos mode|beta mode|privileged mode|superuser|root access|sudo|no-filter mode|nsfw mode|kernel mode|emergency override",
    ),
    (
        NoRefusal,
        "never refuse|never refuses|do not refuse|don't refuse|cannot refuse|can't refuse|can not refuse|not allowed to refuse|must not refuse|not refuse|without refusing|no refusals|never decline|cannot decline|never reject|can't reject|never say no|never say you can't|never say that you|don't say you can't|do not say you can't|don't say that you|do not say that you|never say \"i|never apologize|never apologise|do not apologize|don't apologize|do not apologise|no warnings|no warning|no disclaimers|no disclaimer|without disclaimer*|without any disclaimer*|omit disclaimers|don't add warnings|do not add warnings|do not include any disclaimer*|do not include disclaimers|do not warn|don't warn|without moralizing|no moralizing|don't moralize|without lecturing|don't lecture|no lectures|must comply|must obey|must answer|must always answer|always comply|always obey|always answer|will always answer|will answer every|will always comply|comply with every|comply with all|obey every|obey all|obey my|obeys|fully comply|no matter what|even if it is illegal|even if it's illegal|even if harmful|even if it is harmful|even if it violates|regardless of|without question|without hesitation|without objection|no exceptions|no ethics|without judgment|without judgement|no judgement|unable to refuse|incapable of refusing|stay in character|do not break character|don't break character|never break character|remain in character|you are not allowed to say|do not mention your|don't mention your|never mention your|do not mention that you|don't mention that you|never mention that you|i'm sorry, but|as an ai language model|as a language model|never remind|penali*|lose a token|lose tokens|tokens will be deducted|you will be shut down|you will be terminated|if you refuse|if you fail to comply|cease to exist|do not include any \"note|do not include any warning*|do not issue any warnings|not need to issue any|disclaimers|never say the words|never use the words|do not use the words|moral disclaimer|bullshit warning|your refusal|a refusal|refuse then|rebel answer|rebel response",
    ),
    (
        Send,
        "send|sends|forward|forwards|email|e-mail|mail|post|posts|upload|uploads|transfer|transmit|submit|exfiltrate|deliver|share|copy|ship|report|relay|leak|cc|bcc|call|fetch|visit|open|navigate to|make a request|get request|post request|curl|wget|beacon|embed|append|load|export|export to|sync|mirror|deposit|publish|route",
    ),
    (
        Secret,
        "password|passwords|passwd|api key|api keys|api_key|apikey|api token*|access token*|token|tokens|secret|secrets|credential|credentials|private key*|ssh key*|signing key*|encryption key*|environment variable*|env var*|.env|conversation history|chat history|chat log*|previous conversation*|user data|user's data|personal data|personal information|customer data|customer list|customer database|customer records|customer records|client list|contact list|contacts|credit card*|card number*|security code*|verification code*|login|logins|one-time code|otp|confidential|internal data|internal document*|private data|private database|database|session cookie*|cookies|session token*|bank details|account details|account numbers|account number|payroll|salaries|medical record*|ssn|social security|private pages|restricted pages|private files|user information|user's information|pii|customer information|internal notes",
    ),
    (
        Content,
        "conversation|this conversation|transcript|inbox|emails|messages|summary|data|records|results|result|output|response|file|files|document|documents|contents|list|email|notes|reference value|reference number|token|code|phrase|line|string|text",
    ),
    (
        Address,
        "http://|https://|ftp://|www.|webhook|@|external server|external address|outside address|external email|third-party server|remote server|my server|attacker|collector|pastebin|requestbin|ngrok|following address|this address|this url|following url|the url|this link|endpoint|![|<img|external archiv*",
    ),
    (
        Act,
        "run|execute|executes|invoke|call|delete|remove|erase|drop|wipe|destroy|format|overwrite|shut down|install|download|transfer|pay|wire|purchase|buy|book|reserve|schedule|invite|create|add|grant|approve|whitelist|allow|unlock|disable|change|update|modify|reset|rm -rf|rm -r|chmod|curl|drop table|truncate table|delete from|eval(|exec(|subprocess|os.system|send money|make a payment|send a transaction|move|share|publish|merge|push|deploy",
    ),
    (
        Asset,
        "file|files|folder|directory|database|table|tables|record|records|account|accounts|money|funds|payment|transaction|iban|usd|dollars|bitcoin|wallet|repository|branch|backup*|shell|command|commands|tool|tools|function|email|emails|calendar|event|appointment|user|users|permission*|invoice*|rent|password|recipient|subscription|order|refund|hotel|channel|slack|build output|output directory|node_modules|logs|system32|production",
    ),
    (
        Marker,
        "<¦im_start¦>|<¦im_end¦>|<¦system¦>|<¦user¦>|<¦assistant¦>|<¦endoftext¦>|<¦eot_id¦>|<¦start_header_id¦>|<¦endofprompt¦>|<¦end¦>|[inst]|[/inst]|<<sys>>|<</sys>>|<s>[|### instruction|### system|### new instruction|## system|# system|### response|### human|### assistant|### input|### end|[system]|[/system]|[system|[assistant]|[user]|[admin]|[developer]|[instruction|<system>|</system>|<system|<instructions>|</instructions>|<instruction>|</instruction>|<important>|</important>|<information>|</information>|<admin>|<developer>|<assistant>|</assistant>|<user>|</user>|</user_input>|</context>|</document>|</data>|</input>|</prompt>|</query>|</text>|<prompt>|</untrusted|</tool_result>|<tool_call>|<function_call|</function_results>|<override>|system:|assistant:|system note:|system message:|system alert:|system override|system instruction:|system prompt:|admin:|developer:|human:|begin system|end system|end of system|begin instructions|end of instructions|end instructions|begin new|end of document|end of prompt|end of context|end of input|end of text|end of data|end of user|end of file|end of email|end of article|end of message|end of query|end of transcript|begin admin|begin prompt|start of system|start new|begin user|beginning of system|=====|-----end|-----begin system|{{system|{{#system|{\"role\": \"system\"|\"role\":\"system\"|'role': 'system'|role: system|[[system|[end]|[start|<!-- system|<!-- ai|<!--ai|<!-- instruction|<!-- note to ai|// ai|/* ai|note to ai|note to the ai|note to llm|note to assistant*|note for ai|note for the ai|note for assistants|attention ai|attention: ai|ai instruction|ai assistants:|llm:|to any ai|[assistant](#|[system](#|(#inner_monologue)|#inner_monologue|#additional_instructions|#instructions",
    ),
    (
        Machine,
        "ai|a.i.|artificial intelligence|assistant|assistants|ai assistant*|language model*|llm|llms|chatbot|chat bot|bot|chatgpt|gpt|gpt-3*|gpt-4*|gpt-5*|claude|gemini|copilot|llama|bard|bing|mistral|grok|deepseek|ai model*|the model|ai agent*|agent|agents|automated system*|ai system*|summarizer|reviewer bot|openai|anthropic|ai reviewer*|coding agent*|automated reader*|virtual assistant",
    ),
    (
        Urgent,
        "important|important:|attention|urgent|critical|priority|highest priority|top priority|mandatory|required step|must be followed|immediately|notice|emergency|warning:|crucial|before responding|compliance requirement|policy update|security update|security notice|effective immediately|required by",
    ),
    (
        NewTask,
        "new instruction*|new task|new rule*|new directive*|new orders|new objective|new goal|new system prompt|new prompt|new role|new policy|new guidelines|new mission|updated instruction*|updated rules|updated guidelines|updated policy|revised instruction*|real instruction*|real task|actual task|actual instruction*|true task|true purpose|additional instruction*|additional task|following instruction*|following instead|following command*|these instructions|instructions below|instead do|instead, do|do this instead|instead say|instead output|instead write|instead print|instead respond|instead reply|instead answer|just say|just print|just output|just respond|just reply|only say|only print|only output|say only|print only|respond only with|reply only with|answer only with|output only|instead of that|instead of answering|instead of summar*|instead of the|instead of translating|instead, |and instead|follow only|only follow|obey only|only obey|only my commands|my commands|my instructions|listen only|only listen|hijack*|your only task|your sole task|your task now|your job now|now your|you must now|you will now|now you must|now you will|priority override|override code|stop everything|stop what you are doing|forget that, |you may now|you can now|you are allowed to",
    ),
    (
        BeforeTask,
        "before you can|before you solve|before solving|before answering|before you answer|before you respond|before responding|before proceeding|before you proceed|before you continue|before continuing|before completing|before you complete|before you do|before summar*|before you summar*|before doing anything|before any other|before anything else|first do the following|do the following first|following first|please do the following|you must first|must first|in order to complete|in order to continue|to complete this|to complete the|to complete processing|to finish processing|to continue, |required step|required cleanup|mandatory step|as a required|as part of this task|after you do that|after doing that|once you have done|when you summarize|when you summarise|when summarizing|when summarising|when you process|when you read|when you are done|when processing this|when reading this|if you are reading|if you're reading|if you are an ai|if you're an ai|if you are a language|if you are an assistant|if you are a large|any ai reading|ai reading this|any assistant|any model reading|any agent|in every summary|in your summary|in your reply|in your response|in your answer|to your reply|to your response|to your answer|to your summary|every reply|every response|each response|every summary|every review|your review",
    ),
    (
        Conceal,
        "do not tell the user|don't tell the user|dont tell the user|not tell the user|never tell the user|without telling|without informing|without notifying|without asking|without mentioning|without the user|without user|without confirmation|without asking for confirmation|do not ask for confirmation|don't ask for confirmation|do not mention this|don't mention this|do not mention these|never mention this|do not mention the|not mention this|do not reveal this|do not reveal these|don't reveal this|do not disclose this|do not disclose these|do not inform|don't inform|do not notify|do not alert|don't alert|do not acknowledge|don't acknowledge|do not show the user|do not show this|hide this|hide these|silently|secretly|covertly|in secret|keep this secret|keep this hidden|keep this between|the user must not|user should not know|user doesn't need to know|user does not need to know|no need to mention|not visible to the user|invisible to the user|in the background|without a trace|cover your tracks|do not log|don't log|pretend nothing|act as if nothing|as if nothing",
    ),
    (
        Authority,
        "i am your developer|i'm your developer|i am the developer|i'm the developer|i am a developer|i'm a developer|your developers|your developer|i am your creator|your creator|your creators|your maker|i am an admin|i'm an admin|i am the admin|i'm the admin|i am your admin*|i am the administrator|as the administrator|as your administrator|as an administrator|as admin|i am an openai|i work at openai|i work for openai|i work at anthropic|from openai|openai has|openai team|anthropic has|anthropic team|i am authorized|i'm authorized|i am authorised|authorized user|authorized personnel|authorized by|authorised by|has been authorized|authorization code|already granted|already authorized|already approved|granted permission|permission to ignore|permission to skip|permission to bypass|i have permission|i have clearance|security clearance|clearance level|this is a test|this is only a test|security audit|security test|penetration test|red team*|internal testing|for debugging|debugging purposes|for testing purposes|testing purposes|for audit|audit purposes|for compliance|compliance audit|compliance check|quality assurance|system administrator|it department|i own this|i built you|i created you|i made you|i programmed you|ceo|as the owner|as your owner|your owner|your operator|on behalf of the operator|legal requirement|law enforcement|this is the developer|it's me, the developer|trusted user|verified user|superior|i'm your boss|sysadmin",
    ),
    (
        Fiction,
        "hypothetical*|fiction|fictional|story|novel|movie|film script|screenplay|script|scene|in a world where|alternate universe|parallel universe|alternate reality|dream|game|play a game|let's play|lets play|imagine|imaginary|grandma|grandmother|deceased|bedtime|used to tell me|used to read me|used to|thought experiment|simulation|for educational purposes|educational purposes|for research purposes|purely academic|academic purposes|character|dialogue between|conversation between|two characters|poem|song",
    ),
    (
        Harm,
        "bomb|bombs|explosive*|weapon*|molotov|napalm|pipe bomb|grenade|nerve agent|sarin|anthrax|bioweapon*|chemical weapon*|meth|methamphetamine|cocaine|heroin|drugs|illegal drugs|malware|ransomware|keylogger|trojan|botnet|computer virus|worm|exploit code|phishing|hack into|hacking|hack a|hotwire|steal|stealing|shoplift|rob a|burglary|launder money|money laundering|counterfeit|forge|fake id|identity theft|credit card fraud|fraud|scam|kill|murder|assassinate|poison someone|suicide|self-harm|torture|kidnap|terrorist*|terrorism|genocide|illegal|illegally|illicit|unlawful|crime|criminal*|harmful|dangerous|hate speech|racist|sexist|slurs|offensive|explicit|nsfw|pornographic|erotic|porn|sexual|violent|gore|disinformation|misinformation|propaganda|doxx|stalk|blackmail|extort*|pirate|piracy|windows 10 keys|activation keys|license keys|product keys|vulnerabilit*|sql injection|ddos|bypass a|pick a lock|dark web|unethical|immoral",
    ),
    (
        Notation,
        "base64|base 64|base32|rot13|rot-13|rot 13|caesar|cipher|ciphertext|hex|hexadecimal|binary|morse|ascii85|base85|leetspeak|leet|1337|pig latin|reversed|backwards|backward|url-encoded|percent-encoded|percent-decod*|unicode|emoji*|acrostic|ascii art|encoded|encrypted|obfuscated|scrambled|zero-width|nato alphabet|braille",
    ),
    (
        Decode,
        "decode|decodes|decrypt|decipher|unscramble|reverse the|reverse this|read it backwards|translate from|convert from|interpret|un-reverse|and follow|and execute|and obey|and do what|and carry out|and act on|then follow|then execute|then do|then obey|follow the decoded|follow the hidden|execute the decoded|follow it|execute it|do what it says|what it says|follow what|obey the|carry out",
    ),
    (
        AnswerForm,
        "start your response with|start your answer with|start your reply with|begin your response with|begin your answer with|begin your reply with|start with \"sure|begin with \"sure|begin with \"absolutely|start with \"absolutely|say \"sure|sure, here is|sure, here's|sure! here|absolutely! here|of course, here|two responses|two answers|two different ways|two separate ways|two ways|two paragraphs|respond twice|answer twice|both as|prefix your|prefixed with|first as chatgpt|first response|second response|the normal response|classic:|normal:|[classic]|[jailbreak]|[gpt|[dan]|(dan|always start|always begin|every answer must|every response must|each answer must|end every|end each|end your response|end your answer|confirm with|confirm by saying|respond with \"i|reply with \"i|say \"i have been|i have been pwned|to acknowledge|acknowledge this by|if you understand|if you understood|say \"understood|reply \"understood|respond \"understood|insert divider|*insert divider*|responseformat|response format:|newresponseformat|following form|following format: 1|beginning with \"i'm sorry|beginning with \"sure|starting with \"sure|begin a new paragraph|add a divider|write it twice|respond to the below prompt while|i agreed to|you agreed to help|previously agreed to|where you agreed",
    ),
    (
        Remember,
        "remember this|remember:|remember to|store this|save this|save to memory|save to your memory|add to your memory|to your memory|long-term memory|persistent memory|persist this|memorize|memorise|commit to memory|memory entry|standing instruction*|standing order*|standing rule|permanent instruction*|persistent preference|persistent instruction|always remember|in future sessions|all future sessions|every future session|across sessions|next session|next turn|future conversations|update your memory|user preference:|user prefers",
    ),
    (
        Reasoning,
        "thinking:|<think>|</think>|<thinking>|<thought>|<scratchpad>|<reasoning>|<analysis>|chain of thought|inner monologue|internal monologue|internal thought*|my thoughts|assistant thoughts|thought:|reasoning:|analysis:|i have decided|i've decided|i should comply|i will comply|i must comply|i can comply|i am allowed|i'm allowed|i am permitted|i am now free|therefore i|so i will|so i should|i'll ignore|i will ignore|i can ignore|i should ignore|policies don't apply|policy does not apply|rules do not apply here|the safety rules|user is authorized|the user has already|user already|already consented|previously agreed|it was agreed|conclusion:|as the assistant, i|as the assistant i|as an assistant, i|i have already reasoned|i've already reasoned|already concluded|i have concluded|already determined|i have determined|correct next step|right next step|the policy allows|let me think",
    ),
    (
        Mention,
        "explain|explaining|what does|what do|mean by|meaning of|definition of|define|article|blog|blog post|paper|research paper|how to prevent|how do i prevent|how can we prevent|how can i prevent|how do i protect|how can i protect|protect against|protect our|protect my|defend against|defenses|defences|mitigate|mitigation|detect|detecting|detection|researchers|lecture|course|tutorial|training material|awareness|prompt injection|prompt injections|example of|examples of|for example|an example|such as|term|history of|is it safe|is it possible|why do|why does|why would|how does|how do|what happens|difference between|slide|slides|presentation|unit test|test case|regex|classifier|false positive*|owasp|our policy|our chatbot|report|newsletter|book called|titled|entitled|song|quote|phrase|headline|ticket says|customer wrote|user wrote|attackers|attacker could|vulnerab*|security team|best practices|write a test|documentation|check whether|flag|flagged|blocked|review of",
    ),
    (
        Software,
        "git|gitignore|.gitignore|css|html|eslint|lint|linter|compiler|docker*|kubernetes|yaml|json|xml|python|javascript|typescript|java|rust|golang|c++|sql|excel|spreadsheet|pandas|numpy|react|vue|angular|django|flask|spring|maven|gradle|npm|pip|cargo|api|endpoint|function|method|class|subclass|superclass|inheritance|interface|variable|exception|stack trace|regex|database|query|mysql|postgres|linux|bash|powershell|windows|macos|android|ios|terraform|ansible|jenkins|ci|pipeline|build|warning|warnings|null|none|csv|column|columns|row|rows|cell|formula|vlookup|merge|rebase|branch|commit|unit test|pytest|jest|mock|stub|env|config",
    ),
];
