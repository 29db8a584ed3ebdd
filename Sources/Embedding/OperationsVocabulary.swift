/// What people who run systems call by more than one name: a small thesaurus, by general knowledge of operating
/// systems, networks, databases and clusters.
///
/// A line is a group. Its expressions, one word or a few, mean about the same; any form of a word will do, for they are
/// compared by stem. An expression may stand in several groups.
enum OperationsVocabulary {
  static let groups: [[[UInt64]]] = text.split(separator: "\n").map { line in
    line.split(separator: ",").map { expression in
      expression.split(separator: " ").map { SearchWord.stem(of: Array($0.utf8)[...]) }
    }
  }

  /// The groups that an expression beginning with this stem is in.
  static let groupsOfStem: [UInt64: [Int]] = {
    var groupsOfStem: [UInt64: [Int]] = [:]
    for (group, expressions) in groups.enumerated() {
      for first in Set(expressions.compactMap(\.first)) { groupsOfStem[first, default: []].append(group) }
    }
    return groupsOfStem
  }()

  private static let text = """
    fail,failure,error,unable,unsuccessful,cannot,could not
    crash,panic,abort,segfault,segmentation fault,core dump,died,fatal,killed,terminated
    start,launch,boot,begin,initialize,initialise,startup,spawn
    stop,shutdown,shut down,terminate,exit,halt,quit
    kill,terminate,evict,sigkill
    close,end,disconnect,finish
    login,log in,logged in,logon,sign in,authentication,authenticate,session opened
    logout,log out,logged out,sign out,session closed
    password,credential,passphrase
    user,account,uid
    disk,volume,drive,storage
    file system,filesystem,mount
    full,no space left,out of space,exhausted,quota exceeded
    timeout,timed out,deadline exceeded,took too long
    slow,latency,delay,lag,took too long
    connection,connect,socket,link
    disconnect,connection closed,connection reset,severed,connection lost
    refuse,deny,reject,forbid,block,unauthorized,disallow
    permission,access,privilege,authorization
    missing,not found,no such,does not exist,not exist,unknown,absent
    invalid,bad,malformed,corrupt,illegal,unrecognized,unexpected,unknown
    network,interconnect,ethernet
    memory,ram,heap
    out of memory,oom,cannot allocate memory
    cpu,processor
    temperature,thermal,heat,hot,overheat
    power,psu,voltage
    retry,try again,reattempt
    configuration,config,setting,option,parameter
    delete,remove,purge,erase,unlink
    create,add,allocate,new
    copy,replicate,transfer,replica
    send,transmit,upload,push
    receive,download,fetch
    node,host,machine,server
    service,daemon
    job,task
    attempt,try
    success,successful,complete,finish,done,pass,accept
    update,upgrade,patch
    certificate,cert,tls,ssl
    dns,resolve,lookup,hostname,name resolution,getaddrinfo
    intrusion,break in,attack,breach,exploit
    leader,master,primary
    lock,mutex,latch
    cancel,abort,interrupt,revoke
    state,status,condition
    gone,no longer,lost,unavailable
    correct,recover,repair,fix
    exception,error,fault,throw
    register,enroll
    duplicate,redundant,speculative
    screen,display,brightness
    allocate,assign,grant
    unresponsive,not responding,not respond,no response,hung,unreachable
    reach,contact,connect
    percent,percentage,progress
    transition,change,move
    message,packet
    signal,interrupt,trap
    enable,activate,turned on
    disable,deactivate,turned off
    virtual machine,vm,instance,guest
    election,elect,vote,quorum
    follower,peer,replica,secondary,standby
    sleep,suspend,hibernate
    wake,resume
    wifi,wireless,wlan
    mail,email,smtp,sendmail
    clock,ntp,time synchronization
    snapshot,checkpoint,backup
    garbage collection,gc
    root,administrator,superuser,sudo
    limit,quota,threshold
    usage,utilization,consumption
    expire,out of date,lapsed
    rename,move
    database,db
    container,pod
    worker,executor
    query,statement
    address,ip
    fork,spawn,child process
    resync,synchronize,sync
    verify,validate,check
    throttle,rate limit,too many requests
    health check,probe,heartbeat,liveness,readiness
    deploy,rollout,release
    restart,reboot,relaunch
    load balancer,proxy,gateway,upstream
    kernel,operating system
    """
}
